"""Turn waybills into bait rows."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from sqlalchemy import func, select

from canary.domain.baits import BaitState
from canary.domain.identifiers import BaitValues, canonical_number
from canary.matching.keys import name_key, number_key
from canary.services.baits.bedding import Prepared
from canary.services.baits.register import kind_of, list_keys, mask_key, seal_values
from canary.services.refs import make_ref
from canary.services.stock.ranges import KnownRange, RangeBook
from canary.storage.bulk import IdentifierRow
from canary.storage.session import Database
from canary.storage.tables import Identifier
from canary.storage.vault import Vault
from seeds.make import Made, Taken
from seeds.waybills import Waybill

# Orders are dated by the clock of the places they are delivered to.
CHINA = timezone(timedelta(hours=8))
KEPT_APART = ("number", "m", "um")
_BITS_A_VALUE = 64

# Up to which of a source's baits, in their order, what of a placement holds.
Placing = Sequence[tuple[int, dict[str, object]]]
_LEAST_BITS = 1 << 16


class TakenValues(Taken):
    """Numbers and names of all baits ever made, known by their digests alone.

    A bit for each digest says at once that a value is new, in eight bytes a value; only what might
    be taken is looked up.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        with database.read() as session:
            where = Identifier.kind.in_(KEPT_APART)
            count = session.scalar(select(func.count()).select_from(Identifier).where(where)) or 0
            size = max(_LEAST_BITS, 1 << (count * _BITS_A_VALUE).bit_length())
            self._is_empty = count == 0
            self._marks, self._mask = bytearray(size >> 3), size - 1
            keys = select(Identifier.value_key).where(where)
            for key in session.scalars(keys.execution_options(yield_per=10_000)):
                place = int.from_bytes(key[:8]) & self._mask
                self._marks[place >> 3] |= 1 << (place & 7)

    def is_number_taken(self, number: str) -> bool:
        """Tell whether a bait bears the number."""
        return not self._is_empty and self._has(number_key(canonical_number(number)))

    def is_name_taken(self, name: str, city: str) -> bool:
        """Tell whether a bait bears the name, or looks like it in this city under a mask."""
        if self._is_empty:
            return False
        return self._has(name_key(name)) or self._has(mask_key(name, city))

    def _has(self, key: str) -> bool:
        digest = self._vault.digest(key)
        place = int.from_bytes(digest[:8]) & self._mask
        if not self._marks[place >> 3] >> (place & 7) & 1:
            return False
        with self._database.read() as session:
            known = select(Identifier.bait_id).where(Identifier.value_key == digest).limit(1)
            return session.scalar(known) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """The batch baits are adopted into: its rows, and how each source is to get its baits."""

    batch_id: int
    started_at: datetime
    source_ids: Mapping[str, int]
    phone_ids: Mapping[str, int]
    placing: Mapping[str, Placing]


class Adopter:
    """Works out the rows of a batch, a chunk at a time."""

    def __init__(
        self,
        vault: Vault,
        clock: Callable[[], datetime],
        *,
        bed: Bed,
        ranges: Iterable[KnownRange],
        done: Mapping[str | None, int],
    ) -> None:
        self._vault = vault
        self._clock = clock
        self._bed = bed
        self._book = RangeBook(ranges)
        self._made = Counter(done)

    def prepare(self, chunk: Sequence[Made]) -> Prepared:
        """Work out the rows of one chunk; needs no database."""
        now = self._clock()
        values = [values_of(made.waybill) for made in chunk]
        return Prepared(
            baits=[
                self._bait_row(made, value, now) for made, value in zip(chunk, values, strict=True)
            ],
            keys=self._list_keys(values),
            placements=list(self._list_placements(chunk)),
            ranges=self._count_ranges(chunk),
        )

    def _bait_row(self, made: Made, values: BaitValues, now: datetime) -> dict[str, object]:
        ref, waybill = make_ref("B"), made.waybill
        return {
            "ref": ref,
            "batch_id": self._bed.batch_id,
            "carrier": waybill.carrier,
            "state": BaitState.ISSUED.value,
            "is_control": made.recipe.is_control,
            "sealed_values": seal_values(self._vault, ref, values),
            "phone_id": self._bed.phone_ids.get(waybill.phone) if waybill.phone else None,
            "goods": waybill.goods,
            "weight_g": waybill.weight_g,
            "origin": waybill.origin,
            "destination": waybill.destination,
            "sender_name": waybill.sender_name,
            "ordered_at": self._bed.started_at
            + timedelta(days=made.recipe.day, minutes=waybill.minute),
            "issued_at": now,
        }

    def _list_keys(self, values: Sequence[BaitValues]) -> list[IdentifierRow]:
        """Make the digests of a chunk, in the order of the tree they go into."""
        digest = self._vault.digest
        return sorted(
            (digest(key), at, kind_of(key))
            for at, value in enumerate(values)
            for key in list_keys(value)
        )

    def _list_placements(self, chunk: Sequence[Made]) -> Iterator[tuple[int, dict[str, object]]]:
        for at, made in enumerate(chunk):
            source = made.recipe.source
            if source is not None:
                source_id = self._bed.source_ids[source]
                yield at, {"source_id": source_id, **self._find_placing(source)}

    def _find_placing(self, source: str) -> dict[str, object]:
        """Return how this source's next bait is placed: by the row of the plan it falls in."""
        place = self._made[source]
        self._made[source] += 1
        for end, placing in self._bed.placing.get(source, ()):
            if place < end:
                return placing
        return {"route": "sheet", "fields": None}

    def _count_ranges(self, chunk: Sequence[Made]) -> Counter[int]:
        found = (self._book.find(made.waybill.carrier, made.waybill.number) for made in chunk)
        return Counter(range_id for range_id in found if range_id is not None)


def find_midnight(at: datetime) -> datetime:
    """Return the midnight in China that an instant follows."""
    local = at.astimezone(CHINA)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def values_of(waybill: Waybill) -> BaitValues:
    """Take over what identifies a waybill."""
    return BaitValues(
        number=waybill.number,
        carrier=waybill.carrier,
        name=waybill.name,
        phone=waybill.phone,
        province=waybill.province,
        city=waybill.city,
        district=waybill.district,
        detail=waybill.detail,
    )
