"""From an order to a plan: lines for the sources, and what is at hand for them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.domain.baits import BaitState
from canary.domain.errors import Flaw, Invalid, NotFound
from canary.services.baits.dealing import Pool
from canary.services.baits.orders import SeedOrder
from canary.services.stock.ranges import KnownRange, RangeUse
from canary.storage.tables import Bait, Source
from seeds.errors import SeedError
from seeds.goods import mark_goods
from seeds.lines import PlanLine, PlanSource, list_flaws
from seeds.people import load_names
from seeds.places import make_drop_unit, read_drop
from seeds.plan import Plan, plan_lines
from seeds.stock import Stock

LIVE = (BaitState.DRAFT, BaitState.ISSUED, BaitState.PLANTED, BaitState.LIVE)


def plan_order(
    session: Session, order: SeedOrder, pool: Pool, ranges: Sequence[KnownRange]
) -> Plan:
    """Plan an order. Raises Invalid with every flaw, NotFound."""
    if order.per_source < 1:
        raise Invalid(
            f"{order.per_source} baits per source", field="per_source", mend="give at least 1"
        )
    if not 0 <= order.local <= order.per_source or (order.local and order.rows):
        raise Invalid(
            f"{order.local} of {order.per_source} baits that stay local",
            field="local",
            mend="give 0 up to the baits per source; in a plan file, the column route says it",
        )
    try:
        lines = list(_mark_lines(session, order, _list_lines(session, order)))
        flaws = list_flaws(lines)
        if flaws:
            raise Invalid(flaws=[_flaw_of(error) for error in flaws])
        stock = _take_stock(session, pool, ranges if order.reserved else None)
        return plan_lines(lines, controls=order.controls, days=order.days, stock=stock)
    except SeedError as error:
        raise Invalid(flaws=[_flaw_of(error)]) from error


def _flaw_of(error: SeedError) -> Flaw:
    return Flaw(problem=error.problem, mend=error.mend, row=error.row, field=error.field)


def _list_lines(session: Session, order: SeedOrder) -> list[PlanLine]:
    sources = _load_sources(session)
    if order.rows:
        return _list_rows(order, sources)
    missing = sorted(set(order.sources) - set(sources))
    if missing:
        msg = f"there is no source {', '.join(missing)}; see `canary sources list`"
        raise NotFound(msg)
    return [
        PlanLine(source=source, count=order.per_source, carrier=order.carrier)
        for code, source in sources.items()
        if not order.sources or code in order.sources
    ]


def _list_rows(order: SeedOrder, sources: dict[str, PlanSource]) -> list[PlanLine]:
    flaws = [
        Flaw(
            problem=f"there is no source {row.source[:64]!r}",
            row=row.row,
            field="source",
            mend="import it first; see `canary sources list`",
        )
        for row in order.rows
        if row.source not in sources
    ]
    if flaws:
        raise Invalid(flaws=flaws)
    return [
        PlanLine(
            source=sources[row.source],
            count=row.count,
            carrier=row.carrier or order.carrier,
            origin=row.origin,
            destination=row.destination,
            row=row.row,
        )
        for row in order.rows
    ]


def _load_sources(session: Session) -> dict[str, PlanSource]:
    rows = session.scalars(select(Source).order_by(Source.code)).all()
    codes = {row.id: row.code for row in rows}
    return {
        row.code: PlanSource(
            code=row.code,
            kind=row.kind,
            region=row.region or "",
            carriers=tuple(row.carriers),
            daily_parcels=row.daily_parcels or 0,
            stage=row.stage or "",
            parent=codes.get(row.parent_id or 0),
        )
        for row in rows
    }


def _mark_lines(session: Session, order: SeedOrder, lines: Sequence[PlanLine]) -> list[PlanLine]:
    """Give each source its unit at the drop address and its goods word, where they are asked for.

    The unit follows the source's row, so that it stays the same from batch to batch.
    """
    if order.drop is None and not order.mark_goods:
        return list(lines)
    drop = read_drop(*order.drop) if order.drop else None
    ids = {row.code: row.id for row in session.execute(select(Source.code, Source.id))}
    marks = {code: place for place, code in enumerate(dict.fromkeys(_codes(lines)))}
    return [
        replace(
            line,
            drop=make_drop_unit(drop, ids[line.source.code] - 1) if drop else None,
            goods=mark_goods(marks[line.source.code]) if order.mark_goods else None,
        )
        for line in lines
    ]


def _codes(lines: Sequence[PlanLine]) -> list[str]:
    return [line.source.code for line in lines]


def _take_stock(session: Session, pool: Pool, reserved: Sequence[KnownRange] | None) -> Stock:
    capacity = load_names().city_capacity
    return Stock(
        phones=len(pool.usable),
        fresh_phones=len(pool.fresh),
        names_per_city=capacity,
        names_left={city: capacity - taken for city, taken in count_live_by_city(session).items()},
        numbers_left=None if reserved is None else count_reserved(reserved),
    )


def count_live_by_city(session: Session) -> dict[str, int]:
    """Count live baits by the four digits of the city they are addressed to."""
    city = func.substr(Bait.destination, 1, 4)
    live = select(city, func.count()).where(Bait.state.in_(LIVE)).group_by(city)
    return {row[0]: row[1] for row in session.execute(live)}


def count_reserved(ranges: Sequence[KnownRange]) -> dict[str, int]:
    """Count the reserved and voided numbers that are left, by carrier."""
    left = Counter[str]()
    for known in ranges:
        if known.use is not RangeUse.NEVER:
            left[known.span.carrier] += known.left
    return dict(left)


def require_reserved(plan: Plan, ranges: Sequence[KnownRange], *, made: int) -> None:
    """Refuse a plan that the reserved numbers cannot carry. Raises Invalid."""
    left = count_reserved(ranges)
    wanted = Counter(recipe.carrier for recipe in plan.all_recipes)
    short = {code: n for code, n in wanted.items() if n - made > left.get(code, 0)}
    if short:
        raise Invalid(
            flaws=[
                Flaw(
                    problem=f"{n} reserved numbers of {code} are wanted, "
                    f"{left.get(code, 0)} are left",
                    field="reserved",
                    mend="import more by `canary carriers ranges import`, or make fewer baits",
                )
                for code, n in sorted(short.items())
            ]
        )


def list_pool_warnings(pool: Pool) -> list[str]:
    """Say which phones are not given out yet."""
    if not pool.resting:
        return []
    return [f"{pool.resting} phones are still burning in and are not given out"]
