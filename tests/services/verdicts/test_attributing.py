"""Names are given when the evidence carries them, and each version is kept with its world."""

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest

from canary.domain.errors import NotFound
from canary.domain.incidents import IncidentState
from canary.domain.sightings import ChannelClass
from canary.services.baits.custody import import_custody
from canary.services.pages.summaries import count_open_work, list_summaries, load_summary
from canary.services.verdicts.attributing import Resting, attribute_incident, attribute_stale
from canary.services.verdicts.displays import place_numbers
from canary.storage.tables import Alert, AttributionRecord, Incident, Sighting
from canary.storage.vault import sha256
from tests.factories import Office, listing, row, sms
from webhooks.reports import Report, ReportKind


@pytest.fixture
def dense(office: Office) -> Office:
    """Twelve baits for each source: enough to name one from a single listing."""
    office.plant(per_source=12)
    office.add_endpoint()
    return office


def leak(office: Office, code: str, *, count: int = 12, reporter: int | None = None) -> None:
    values = office.values_at(code)[:count]
    text = "\n".join(f"{one.number} {one.city}" for one in values)
    office.post(reporter or office.add_reporter(), listing(text))


def newest(office: Office, incident_id: int | None = None) -> dict[str, Any]:
    wanted = incident_id or office.rows(Incident)[-1].id
    with office.database.read() as session:
        return load_summary(session, wanted)


def suspicion(found: dict[str, Any], code: str) -> float:
    return float(found["posteriors"].get(code, 0.0))


@pytest.mark.parametrize("code", ["OUT-A1", "OUT-B2", "HUB-B"])
def test_leaking_source_is_named(dense: Office, code: str) -> None:
    leak(dense, code)
    dense.work()
    found = newest(dense)
    assert found["named"] == [code]
    assert found["verdict"] in {"probable", "confirmed"}


def test_reasons_are_told_in_both_languages(dense: Office) -> None:
    leak(dense, "OUT-A1")
    dense.work()
    spoken = newest(dense)["explanations"]
    assert "滨江网点" in spoken["zh"]["headline"]
    assert "滨江网点" in spoken["en"]["headline"]
    assert all(spoken[lang]["reasons"] for lang in ("zh", "en"))


def test_source_exposed_later_is_out(dense: Office) -> None:
    """It got the baits after they had been seen: whoever leaked them, it was not this one."""
    values = dense.values_at("OUT-A1")
    leak(dense, "OUT-A1")
    dense.clock.move(timedelta(days=3))
    rows = [
        row(place, number=one.number or "", source="OUT-B2", at=dense.clock().isoformat())
        for place, one in enumerate(values, start=2)
    ]
    with dense.database.write() as session:
        import_custody(session, dense.vault, rows, actor="test", now=dense.clock())
    dense.work()
    found = newest(dense)
    assert found["named"] == ["OUT-A1"]
    assert suspicion(found, "OUT-B2") <= suspicion(found, "OUT-B1") + 1e-6
    assert found["excluded"]["OUT-B2"] == "too_late"


def test_source_exposed_earlier_is_a_suspect(dense: Office) -> None:
    """Two held the same baits: none can be named from them alone."""
    values = dense.values_at("OUT-A1")
    at = (dense.clock() - timedelta(days=1)).isoformat()
    rows = [
        row(place, number=one.number or "", source="OUT-B2", at=at)
        for place, one in enumerate(values, start=2)
    ]
    with dense.database.write() as session:
        import_custody(session, dense.vault, rows, actor="test", now=dense.clock())
    leak(dense, "OUT-A1")
    dense.work()
    found = newest(dense)
    assert found["named"] == []
    assert suspicion(found, "OUT-B2") > 0.05


def test_spam_on_one_shared_phone_names_nobody(dense: Office) -> None:
    victim = next(one for one in dense.values_at("OUT-A1") if one.phone)
    dense.post(dense.add_reporter("rack", ChannelClass.ARRIVAL), sms("广告", victim.phone or ""))
    dense.work()
    assert newest(dense)["named"] == []


@pytest.mark.parametrize("weak", [ChannelClass.ANONYMOUS, ChannelClass.RELAY])
def test_weak_channel_names_nobody(dense: Office, weak: ChannelClass) -> None:
    leak(dense, "OUT-A1", reporter=dense.add_reporter("tip", weak))
    dense.work()
    assert newest(dense)["named"] == []


def test_rival_cannot_accuse_alone(dense: Office) -> None:
    """A reporter that a source runs is an interested party."""
    leak(dense, "OUT-A1", reporter=dense.add_reporter("rival", source="OUT-B1"))
    dense.work()
    assert newest(dense)["named"] == []


def test_controls_alone_name_nobody(dense: Office) -> None:
    controls = dense.all_values(is_control=True)[:3]
    dense.post(dense.add_reporter(), listing("\n".join(one.number or "" for one in controls)))
    dense.work()
    found = newest(dense)
    assert found["named"] == []
    assert found["scope"] == "controls"


def test_world_is_kept_as_it_was(dense: Office) -> None:
    leak(dense, "OUT-A1")
    dense.work()
    kept = dense.only(AttributionRecord)
    place = f"attributions.sealed_world|{kept.incident_id}/{kept.revision}"
    world = gzip.decompress(dense.vault.unseal(place, kept.sealed_world))
    assert sha256(world) == kept.world_sha256
    assert json.loads(world)["schema"] == "attribution-world/1"


def test_kept_world_gives_the_same_answer(dense: Office) -> None:
    from canary.attribution.infer import attribute
    from canary.attribution.reading import read_world

    leak(dense, "OUT-A1")
    dense.work()
    kept = dense.only(AttributionRecord)
    place = f"attributions.sealed_world|{kept.incident_id}/{kept.revision}"
    world = json.loads(gzip.decompress(dense.vault.unseal(place, kept.sealed_world)))
    again = attribute(read_world(world)).to_json()
    assert {name: again[name] for name in ("posteriors", "named", "verdict")} == {
        name: kept.result[name] for name in ("posteriors", "named", "verdict")
    }


def test_world_holds_no_bait_values(dense: Office) -> None:
    """The world leaves the house with the evidence: references instead of numbers."""
    leak(dense, "OUT-A1")
    dense.work()
    kept = dense.only(AttributionRecord)
    place = f"attributions.sealed_world|{kept.incident_id}/{kept.revision}"
    world = gzip.decompress(dense.vault.unseal(place, kept.sealed_world)).decode()
    for one in dense.all_values():
        assert (one.number or "-") not in world
        assert (one.phone or "-no-") not in world


def test_only_gaps_between_neighbours_are_told() -> None:
    placed = place_numbers(
        {1: "YT0000070000003", 2: "", 3: "YT0000070000000", 4: "SF3000000000001"}
    )
    assert placed == {3: "1000", 1: "1003", 4: "2003"}


def test_bare_numbers_far_apart_are_no_neighbours(dense: Office) -> None:
    """References stood in for numbers once, and their few digits often lay close."""
    text = "\n".join(one.number or "" for one in dense.values_at("OUT-A1"))
    dense.post(dense.add_reporter(), listing(text))
    dense.work()
    assert "neighbours" not in newest(dense)["details"]["caps"]


def test_nothing_new_is_not_attributed(dense: Office) -> None:
    leak(dense, "OUT-A1")
    dense.work()
    assert attribute_stale(dense.desk(), Resting()) == 0
    assert attribute_incident(dense.desk(), dense.only(Incident).id) is False
    assert dense.count(AttributionRecord) == 1


def test_evidence_that_comes_meanwhile_is_not_lost(
    dense: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from canary.services.verdicts import attributing

    reporter = dense.add_reporter()
    leak(dense, "OUT-A1", count=2, reporter=reporter)
    dense.triage()
    make = attributing._make

    def dawdle(*args: object) -> object:
        made = make(*args)  # type: ignore[arg-type]
        leak(dense, "OUT-A1", reporter=reporter)
        dense.triage()
        return made

    with monkeypatch.context() as patch:
        patch.setattr(attributing, "_make", dawdle)
        attribute_stale(dense.desk(), Resting())
    assert attribute_stale(dense.desk(), Resting()) == 1
    assert newest(dense)["named"] == ["OUT-A1"]


def test_rising_verdict_is_told_again(dense: Office) -> None:
    reporter = dense.add_reporter()
    leak(dense, "OUT-A1", count=1, reporter=reporter)
    dense.work()
    leak(dense, "OUT-A1", reporter=reporter)
    dense.work()
    leak(dense, "OUT-A1", reporter=reporter)
    dense.work()
    kinds = [alert.type for alert in dense.rows(Alert)]
    assert kinds[0] == "incident.opened"
    assert kinds[1:] in (["incident.raised"], ["incident.raised"] * 2)


def test_alert_says_what_people_need(dense: Office) -> None:
    leak(dense, "OUT-A1")
    dense.work()
    dense.deliver()
    data = dense.sender.sent[0].data
    incident = dense.only(Incident)
    assert data["source"] == "OUT-A1"
    assert data["link"] == f"https://canary.example/incidents/{incident.id}"
    assert (data["count"], data["venue"]) == (1, "danhao.example")
    assert data["title"]
    assert data["lines"]


def test_incident_joins_the_one_it_names(dense: Office) -> None:
    """A wide scope that turns out to be one source's joins that source's incident, silently."""
    reporter = dense.add_reporter()
    leak(dense, "OUT-A1", reporter=reporter)
    dense.work()
    first = dense.only(Incident)
    stray = dense.values_at("OUT-B1")[0]
    text = "\n".join(one.number or "" for one in [*dense.values_at("OUT-A1"), stray])
    dense.post(reporter, listing(text))
    dense.work()
    second = dense.rows(Incident)[-1]
    assert second.id != first.id
    if second.state == IncidentState.MERGED:
        assert second.merged_into_id == first.id
        assert dense.count(Sighting, incident_id=first.id) == 2
        assert dense.count(Alert, incident_id=second.id) == 0
        attribute_stale(dense.desk(), Resting())
        assert newest(dense, first.id)["sightings"] == 2
    else:
        assert second.named != ["OUT-A1"]


def test_failing_attribution_rests_and_does_not_stop_others(
    dense: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from canary.services.verdicts import attributing

    reporter = dense.add_reporter()
    leak(dense, "OUT-A1", reporter=reporter)
    dense.triage()
    leak(dense, "OUT-B1", reporter=reporter)
    dense.triage()
    broken = dense.rows(Incident)[0].id
    make = attributing._make

    def fail(session: object, desk: object, incident_id: int) -> object:
        if incident_id == broken:
            raise RuntimeError
        return make(session, desk, incident_id)  # type: ignore[arg-type]

    monkeypatch.setattr(attributing, "_make", fail)
    resting = Resting()
    assert attribute_stale(dense.desk(), resting) == 1
    assert resting.rests(broken, dense.clock())
    assert dense.rows(Incident)[1].named == ["OUT-B1"]


def test_document_and_call_are_attributed_too(dense: Office) -> None:
    reporter = dense.add_reporter()
    values = dense.values_at("OUT-A1")
    for kind in (ReportKind.DOCUMENT, ReportKind.QUERY_LOG, ReportKind.TRACKING_LOOKUP):
        dense.post(reporter, Report(kind=kind, text="\n".join(v.number or "" for v in values)))
    dense.work()
    assert dense.only(Incident).sighting_count == 3


def test_summaries_tell_what_is_open(dense: Office) -> None:
    with dense.database.read() as session:
        assert count_open_work(session) == 0
    leak(dense, "OUT-A1")
    for step in (dense.triage, lambda: attribute_stale(dense.desk(), Resting()), dense.deliver):
        with dense.database.read() as session:
            assert count_open_work(session) == 1
        step()
    with dense.database.read() as session:
        assert count_open_work(session) == 0
        assert [item["named"] for item in list_summaries(session)] == [["OUT-A1"]]
        with pytest.raises(NotFound):
            load_summary(session, 10**9)
