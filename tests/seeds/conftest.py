"""What the tests of seeds share."""

from collections.abc import Callable
from random import Random

import pytest

from seeds.draws import Draws
from seeds.make import NothingTaken, make_waybills
from seeds.people import NameStyle
from seeds.recipes import Recipe
from seeds.waybills import Waybill


@pytest.fixture
def draws() -> Draws:
    """Draws that repeat from run to run."""
    return Draws(Random(7))


@pytest.fixture
def make() -> Callable[..., list[Waybill]]:
    """Make the waybills of some recipes, as the application does."""

    def make_all(
        *recipes: Recipe, phones: tuple[str, ...] = (), names: NameStyle = NameStyle.BLENDED
    ) -> list[Waybill]:
        made = make_waybills(
            recipes, taken=NothingTaken(), phones=phones, random=Random(7), names=names
        )
        return [waybill for _, waybill in made]

    return make_all
