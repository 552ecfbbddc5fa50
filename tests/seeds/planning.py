"""A plan that gives every source alike, as the application makes it of an order."""

from collections.abc import Mapping, Sequence
from typing import Any

from seeds.lines import PlanLine, PlanSource
from seeds.plan import Plan, plan_lines


def plan_alike(
    sources: Sequence[PlanSource],
    per_source: int = 1,
    counts: Mapping[str, int] | None = None,
    carrier: str | None = None,
    **more: Any,
) -> Plan:
    """Plan so many baits for each source, or what `counts` says by its code."""
    wanted = counts or {}
    lines = [
        PlanLine(source=one, count=wanted.get(one.code, per_source), carrier=carrier)
        for one in sources
    ]
    return plan_lines(lines, **more)
