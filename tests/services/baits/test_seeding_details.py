"""What a batch keeps to: its rows, its phones, its routes, its chance."""

import random
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from faker import Faker
from sqlalchemy import select

from canary.domain.errors import Invalid
from canary.services.baits import seeding
from canary.services.baits.adopting import TakenValues
from canary.services.baits.custody import import_custody
from canary.services.baits.orders import PlanRow, SeedOrder
from canary.services.baits.seeding import Nursery, seed_batch
from canary.services.stock.imports import TableRow
from canary.services.stock.phones import import_phones
from canary.storage.tables import Bait, Exposure, Phone, Placement, Source
from seeds.people import ForbiddenNames
from tests.factories import OWNED, Office


@pytest.fixture
def network(office: Office) -> Office:
    office.import_sources()
    return office


def rows_seeded(office: Office, *rows: PlanRow, batch: str = "b1") -> None:
    seed_batch(office.nursery, SeedOrder(batch=batch, rows=rows))


def phones_by_source(office: Office) -> dict[str, set[int]]:
    query = (
        select(Source.code, Bait.phone_id)
        .join(Placement, Placement.source_id == Source.id)
        .join(Bait, Bait.id == Placement.bait_id)
    )
    held: dict[str, set[int]] = {}
    with office.database.read() as session:
        for code, phone_id in session.execute(query):
            held.setdefault(code, set()).add(phone_id)
    return held


def test_runs_seeded_alike_share_nothing(network: Office) -> None:
    """Whoever knows the state of the usual generators cannot guess a bait."""
    made: list[set[str | None]] = []
    for batch in ("b1", "b2"):
        random.seed(1)
        np.random.seed(1)
        Faker.seed(1)
        nursery = Nursery(
            database=network.database,
            vault=network.vault,
            random=random.SystemRandom(),
            clock=network.clock,
            actor="test",
        )
        seed_batch(nursery, SeedOrder(batch=batch, per_source=20))
        made.append({value.number for value in network.all_values()})
    assert len(made[1]) == 2 * len(made[0])


def test_rows_decide_what_their_source_sees(network: Office) -> None:
    masked = {"number": 2, "phone": 1, "name": 0, "address": 0}
    rows_seeded(
        network,
        PlanRow(source="OUT-A1", count=2, fields=masked),
        PlanRow(source="OUT-A1", count=1),
    )
    network.confirm()
    shown = [(one.number, one.phone, one.name) for one in network.rows(Exposure)]
    assert shown == [(2, 1, 0), (2, 1, 0), (2, 2, 2)]


def test_local_baits_are_hidden_from_those_above(network: Office) -> None:
    """The reverse layer: what never entered a system cannot leak from the central one."""
    rows_seeded(network, PlanRow(source="OUT-A1", count=1, route="local"))
    network.confirm()
    assert network.only(Exposure).origin == "local"


def test_each_source_below_another_keeps_one_local(network: Office, tmp_path: Path) -> None:
    network.seed(local=1)
    sheets = network.hand_over(tmp_path)
    assert network.count(Placement, route="local") == 6
    assert {sheet.source: sheet.baits for sheet in sheets if not sheet.is_local}["OUT-A1"] == 3
    local = {sheet.source: Path(sheet.file).name for sheet in sheets if sheet.is_local}
    assert (local["OUT-A1"], "SYS" in local) == ("OUT-A1+local.csv", False)


@pytest.mark.parametrize("order", [{"local": 5}, {"local": -1}])
def test_no_more_stay_local_than_are_made(network: Office, order: dict[str, int]) -> None:
    with pytest.raises(Invalid, match="field local"):
        network.seed(**order)


def test_sources_hold_different_sets_of_phones(network: Office) -> None:
    network.import_phones(20)
    network.seed(per_source=4)
    held = [phones for code, phones in phones_by_source(network).items()]
    assert {len(phones) for phones in held} == {2}
    assert all(one != other for one, other in combinations(held, 2))


def test_continued_batch_keeps_its_hands(network: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop in the middle of a source must not blur which phones are its own."""
    network.import_phones(20)
    monkeypatch.setattr(seeding, "CHUNK", 6)

    def stop(done: int, _: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed_batch(network.nursery, SeedOrder(batch="b1", per_source=9), progress=stop)
    network.seed(per_source=9)
    held = phones_by_source(network).values()
    assert len({len(phones) for phones in held}) == 1


def test_phone_that_burns_in_is_not_given_out(network: Office) -> None:
    since = {"owned_since": "2026-11-19", "burn_in_days": "30"}
    with network.database.write() as session:
        rows = [TableRow(number=n, cells={"number": OWNED[n], **since}) for n in range(20)]
        import_phones(session, network.vault, rows, actor="test", now=network.clock())
    made = network.seed()
    assert (made.with_phone, "20 phones are still burning in" in made.warnings[-1]) == (0, True)
    network.clock.move(timedelta(days=40))
    assert network.seed("b2").with_phone == 28


def test_phones_alike_under_a_mask_are_not_both_given(network: Office) -> None:
    alike = f"{OWNED[0][:3]}5555{OWNED[0][-4:]}"
    network.import_phones([OWNED[0], alike, *OWNED[1:6]])
    network.seed(sources=("OUT-A1",), per_source=4)
    ids = {one.id: one for one in network.rows(Phone)}
    used = {one.phone_id for one in network.rows(Bait) if one.phone_id}
    assert not {1, 2} <= {place for place, one in enumerate(ids, start=1) if one in used}


class AllOfOneFamily(ForbiddenNames):
    """A list that holds every name of the most frequent family."""

    def __contains__(self, name: object) -> bool:
        return str(name).startswith("王")


def test_forbidden_names_are_avoided(network: Office) -> None:
    network.seed("b1", per_source=60)
    forbidden = AllOfOneFamily(b"key")
    seed_batch(network.nursery, SeedOrder(batch="b2", per_source=60), forbidden=forbidden)
    names = [value.name for value in network.all_values()]
    assert any(name in forbidden for name in names[: len(names) // 2])
    assert not any(name in forbidden for name in names[len(names) // 2 :])


def test_begun_batch_asks_for_its_list_again(
    network: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeding, "CHUNK", 5)

    def stop(done: int, _: int) -> None:
        raise KeyboardInterrupt

    names = ForbiddenNames.from_names(b"key", ["邬瑶岚"])
    with pytest.raises(KeyboardInterrupt):
        seed_batch(network.nursery, SeedOrder(batch="b1"), forbidden=names, progress=stop)
    with pytest.raises(Invalid, match="give the list again by --forbid"):
        network.seed()
    assert seed_batch(network.nursery, SeedOrder(batch="b1"), forbidden=names).created > 0


def test_taken_values_are_known_and_others_not(network: Office) -> None:
    network.seed(per_source=5)
    taken = TakenValues(network.database, network.vault)
    value = network.all_values()[0]
    assert taken.is_number_taken(value.number or "")
    assert taken.is_name_taken(value.name or "", "北京市")
    assert not taken.is_number_taken("YT0000000000000")


def test_custody_event_confirms_planting(network: Office) -> None:
    """A scan shows that the bait is in place, whether anybody said so or not."""
    network.seed(sources=("OUT-A1",), per_source=1)
    network.clock.move(timedelta(hours=3))
    number = network.values_at("OUT-A1")[0].number or ""
    cells = {"number": number, "source": "HUB-A", "at": network.clock().isoformat()}
    with network.database.write() as session:
        rows = [TableRow(number=2, cells=cells)]
        import_custody(session, network.vault, rows, actor="test", now=network.clock())
    placement = network.only(Placement)
    assert (placement.confirmed_by, placement.confirmed_at) == ("custody event", network.clock())
    assert network.only(Bait, is_control=False).state == "live"
    assert {one.origin for one in network.rows(Exposure)} == {"placement", "custody"}
