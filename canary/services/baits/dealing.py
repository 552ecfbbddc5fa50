"""Which phones the sources of a batch get, and which stay back as controls.

A batch that is carried on deals itself the same hands again: the draw is keyed by its name.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from canary.domain.errors import Invalid
from canary.services.stock.phones import find_ready, read_canonical, reveal_number
from canary.storage.tables import Bait, Phone
from canary.storage.vault import Vault
from seeds.codes import PhoneCode, assign_phones, choose_weight, share_out
from seeds.draws import Draws, RandomSource
from seeds.errors import SeedError
from seeds.recipes import Recipe

CONTROL_PHONE_SHARE = 0.1


class KeyedChance(RandomSource):
    """Bytes that only our key and a label determine."""

    def __init__(self, vault: Vault, label: str) -> None:
        self._vault = vault
        self._label = label
        self._block = 0

    def randbytes(self, n: int, /) -> bytes:
        """Return the next `n` bytes."""
        self._block += 1
        seed = self._vault.digest(f"chance:{self._label}|{self._block}")
        return hashlib.shake_256(seed).digest(n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The phones at hand for a batch: numbers by row id, and who may get them."""

    ids: Mapping[str, int] = field(default_factory=dict)
    usable: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    new_controls: tuple[str, ...] = ()
    resting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """The phones of each source; empty without a pool."""

    pool: Pool
    code: PhoneCode | None = None

    def list_phones(
        self, recipes: Iterable[Recipe], done: Mapping[str | None, int]
    ) -> Iterator[str]:
        """Yield the phones of the recipes in their order, after those of baits made before."""
        if self.code is None:
            return iter(())
        used = {source: count for source, count in done.items() if source is not None}
        return share_out(recipes, self.code, used=used)


def load_pool(
    session: Session, vault: Vault, batch: str, batch_id: int | None, now: datetime
) -> Pool:
    """Open the pool as a batch finds it.

    Fresh are those that no other batch used and that look like no other under a mask.
    """
    rows = list(session.scalars(select(Phone).order_by(Phone.id)))
    numbers = {reveal_number(vault, row): row for row in rows}
    ready = [number for number, row in numbers.items() if find_ready(row) <= now]
    controls = tuple(number for number in ready if numbers[number].is_control)
    free = [number for number in ready if not numbers[number].is_control]
    chosen: tuple[str, ...] = ()
    if not any(row.is_control for row in rows):
        deck = Draws(KeyedChance(vault, f"controls {batch}")).shuffled(free)
        chosen = tuple(deck[: int(len(deck) * CONTROL_PHONE_SHARE)])
    usable = [number for number in free if number not in set(chosen)]
    used = _list_used(session, batch_id)
    return Pool(
        ids={number: row.id for number, row in numbers.items()},
        usable=tuple(usable),
        fresh=tuple(_list_fresh(usable, {n for n, row in numbers.items() if row.id in used})),
        controls=controls + chosen,
        new_controls=chosen,
        resting=len(rows) - len(ready),
    )


def _list_used(session: Session, batch_id: int | None) -> set[int]:
    query = select(Bait.phone_id).where(Bait.phone_id.is_not(None)).distinct()
    if batch_id is not None:
        query = query.where(Bait.batch_id != batch_id)
    return {phone_id for phone_id in session.scalars(query) if phone_id is not None}


def _list_fresh(usable: Sequence[str], used: set[str]) -> Iterator[str]:
    """Yield phones that differ, first three and last four, from all used and from each other."""
    masks = {_mask(number) for number in used}
    for number in usable:
        mask = _mask(number)
        if number not in used and mask not in masks:
            masks.add(mask)
            yield number


def _mask(number: str) -> tuple[str, str]:
    return read_canonical(number).mask_key


def deal_phones(vault: Vault, pool: Pool, batch: str, counts: Mapping[str, int]) -> Deal:
    """Give each source its own set of phones: fresh ones while they last. Raises Invalid."""
    if not pool.usable or not counts:
        return Deal(pool=pool)
    phones = pool.fresh if len(pool.fresh) >= sum(counts.values()) else pool.usable
    weight = min(max(counts.values()), choose_weight(len(phones), len(counts)))
    try:
        code = assign_phones(
            phones,
            list(counts),
            random=KeyedChance(vault, f"phones {batch}"),
            weight=weight,
            controls=0,
        )
    except SeedError as error:
        raise Invalid(error.problem, mend=error.mend, field="phones") from error
    return Deal(pool=pool, code=code)


def keep_controls(session: Session, pool: Pool) -> None:
    """Keep the control phones of a first batch back for good."""
    for number in pool.new_controls:
        session.execute(update(Phone).where(Phone.id == pool.ids[number]).values(is_control=True))
