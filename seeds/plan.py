"""The plan: how many baits each source gets, by which carrier, on which lane and day.

Recipes are told one after another as they are wanted, so a plan of a million baits is small.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from seeds.errors import BadPlan
from seeds.lines import ControlRecipes, PlacedRecipes, PlanLine, list_flaws
from seeds.recipes import Recipe
from seeds.stock import Stock, list_warnings

MIN_CONTROL_SHARE = 0.05
_MIN_CONTROLS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Recipes to place, recipes to keep at home, and what the operator should know first."""

    recipes: PlacedRecipes
    controls: ControlRecipes
    warnings: tuple[str, ...]

    @property
    def all_recipes(self) -> Iterator[Recipe]:
        """Placed and control recipes, in the order they are made."""
        yield from self.recipes
        yield from self.controls

    @property
    def total(self) -> int:
        """How many waybills the plan makes."""
        return len(self.recipes) + len(self.controls)


def plan_lines(
    lines: Sequence[PlanLine],
    *,
    controls: float = MIN_CONTROL_SHARE,
    days: int = 1,
    stock: Stock | None = None,
) -> Plan:
    """Plan a batch line by line. Raises BadPlan, UnknownCarrier, the first flaw of all."""
    _check_frame(lines, controls, days)
    for flaw in list_flaws(lines):
        raise flaw
    placed = PlacedRecipes(tuple(lines), days)
    home = ControlRecipes(placed, count_controls(len(placed), controls))
    return Plan(
        recipes=placed,
        controls=home,
        warnings=tuple(list_warnings(placed, home, stock or Stock())),
    )


def count_controls(baits: int, share: float) -> int:
    """Return how many controls make up `share` of a batch with so many placed baits."""
    return max(_MIN_CONTROLS, ceil(round(share * baits / (1 - share), 9)))


def _check_frame(lines: Sequence[PlanLine], controls: float, days: int) -> None:
    if not lines:
        raise BadPlan("there are no sources", mend="import sources first", field="source")
    if days < 1:
        raise BadPlan(f"{days} days", mend="give at least 1", field="days")
    if not MIN_CONTROL_SHARE <= controls <= 0.5:
        raise BadPlan(
            f"a control share of {controls:g}",
            mend=f"give {MIN_CONTROL_SHARE:g} to 0.5, so that coincidence can be measured",
            field="controls",
        )
