"""What several pages share: paging, who may see what, masked bait values."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import Session

from canary.domain.baits import BaitState
from canary.domain.identifiers import (
    BaitValues,
    mask_address,
    mask_name,
    mask_number,
    mask_phone,
)
from canary.domain.verdicts import Verdict
from canary.services.access import Role, Viewer
from canary.storage.tables import Bait, Incident, Source
from canary.storage.vault import SealBroken, Vault

PAGE_SIZE = 50
LAST_PAGE = 20_000

Item = TypeVar("Item")
Other = TypeVar("Other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged(Generic[Item]):
    """One page of a list. `number` counts from 1."""

    items: tuple[Item, ...]
    number: int
    size: int
    total: int

    @property
    def last(self) -> int:
        """Return the number of the last page, at least 1."""
        return max(1, -(-self.total // self.size))

    @property
    def first_item(self) -> int:
        """Return the position of the first item shown, 0 on an empty page."""
        return (self.number - 1) * self.size + 1 if self.items else 0

    @property
    def last_item(self) -> int:
        """Return the position of the last item shown, 0 on an empty page."""
        return self.first_item + len(self.items) - 1 if self.items else 0

    def showing(self, items: Iterable[Other]) -> "Paged[Other]":
        """Return the same page with `items` made from its rows."""
        return Paged(items=tuple(items), number=self.number, size=self.size, total=self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLabel:
    """A source as other pages mention it."""

    code: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedBait:
    """A bait's values as every screen may show them."""

    number: str
    name: str
    phone: str
    address: str


def clamp_page(number: int) -> int:
    """Return a page number that can be asked for."""
    return min(max(number, 1), LAST_PAGE)


def count_rows(session: Session, query: Select[Item]) -> int:
    """Count the rows of a query, its order left out."""
    inner = query.order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(inner)) or 0


def count_groups(session: Session, query: Select[Item, int]) -> dict[Item, int]:
    """Run a query of keys with their counts."""
    return dict(session.execute(query).all())


def is_control() -> ColumnElement[bool]:
    """Return the condition that a bait was kept home.

    Spelled as the index of states and controls wants it: the controls are few among all baits.
    """
    return Bait.state.in_([state.value for state in BaitState]) & (Bait.is_control == true())


def is_in_place() -> ColumnElement[bool]:
    """Return the condition that a bait is planted or live.

    Nearly every bait is, so that a planner must not start from the index of states: the function
    around the column keeps it from doing so on both databases.
    """
    return func.coalesce(Bait.state, "").in_([BaitState.PLANTED.value, BaitState.LIVE.value])


def list_below(tops: ColumnElement[bool]) -> Select[int]:
    """Select the ids of the sources that `tops` picks, and of everything below them."""
    tree = select(Source.id).where(tops).cte("below", recursive=True)
    tree = tree.union(select(Source.id).where(Source.parent_id == tree.c.id))
    return select(tree.c.id)


def limit_incidents(viewer: Viewer) -> list[ColumnElement[bool]]:
    """Return the conditions under which this viewer may see an incident.

    A partner sees what concerns its own branch, and only once a source may be named: weaker
    candidates are for triage.
    """
    if viewer.role != Role.PARTNER:
        return []
    if viewer.source_id is None:
        return [Incident.id.is_(None)]
    named = [verdict.value for verdict in Verdict if verdict.names_a_source]
    return [
        Incident.scope_source_id.in_(list_below(Source.id == viewer.source_id)),
        Incident.verdict.in_(named),
    ]


def list_visible_codes(session: Session, viewer: Viewer) -> frozenset[str] | None:
    """Return the source codes a partner may read; None when all may be read."""
    if viewer.role != Role.PARTNER:
        return None
    if viewer.source_id is None:
        return frozenset()
    query = select(Source.code).where(Source.id.in_(list_below(Source.id == viewer.source_id)))
    return frozenset(session.scalars(query))


def label_sources(session: Session, codes: Collection[str]) -> Mapping[str, SourceLabel]:
    """Return the label of each code; a code without a row gets its code as its name."""
    rows = session.execute(
        select(Source.code, Source.name, Source.kind).where(Source.code.in_(sorted(codes)))
    )
    known = {code: SourceLabel(code=code, name=name, kind=kind) for code, name, kind in rows}
    return {
        code: known.get(code, SourceLabel(code=code, name=code, kind="system")) for code in codes
    }


def label_source(source: Source) -> SourceLabel:
    """Return the label of a loaded source."""
    return SourceLabel(code=source.code, name=source.name, kind=source.kind)


def read_values(vault: Vault, ref: str, sealed: bytes) -> BaitValues | None:
    """Open a bait's values; None when the envelope does not open or does not read."""
    try:
        stored = json.loads(vault.unseal(f"baits.sealed_values|{ref}", sealed))
    except (SealBroken, ValueError):
        return None
    known = {field.name for field in fields(BaitValues)}
    return BaitValues(**{key: value for key, value in stored.items() if key in known})


def mask_bait(vault: Vault, bait: Bait) -> MaskedBait:
    """Return a bait's values masked; question marks when they cannot be opened."""
    values = read_values(vault, bait.ref, bait.sealed_values)
    if values is None:
        return MaskedBait(number="?", name="?", phone="?", address="?")
    return MaskedBait(
        number=mask_number(values.number),
        name=mask_name(values.name),
        phone=mask_phone(values.phone),
        address=mask_address(values),
    )


def page_of(
    session: Session, query: Select[Item], number: int, size: int = PAGE_SIZE
) -> Paged[Item]:
    """Run a query for one page of its rows."""
    number = clamp_page(number)
    rows: Sequence[Item] = session.scalars(query.limit(size).offset((number - 1) * size)).all()
    return Paged(items=tuple(rows), number=number, size=size, total=count_rows(session, query))
