"""Which phones a source gets when there are fewer phones than sources.

Every source holds a different set of equally many phones, and every phone serves about as many
sources, so the phones that ring tell which source leaked (a constant-weight code; the design is
the group-testing one of the attribution notes: 16 phones each in mild noise, 24 otherwise).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, comb

from seeds.draws import Draws, RandomSource
from seeds.errors import CapacityShort, PoolEmpty
from seeds.recipes import Recipe

_TRIES = 200
_DEFAULT_WEIGHT = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCode:
    """The phones of each source, and those that nobody was given."""

    phones: Mapping[str, tuple[str, ...]]
    controls: tuple[str, ...]

    @property
    def loads(self) -> dict[str, int]:
        """How many sources each phone in use serves."""
        loads: dict[str, int] = {}
        for held in self.phones.values():
            for phone in held:
                loads[phone] = loads.get(phone, 0) + 1
        return loads


def assign_phones(
    phones: Sequence[str],
    sources: Sequence[str],
    *,
    random: RandomSource,
    weight: int | None = None,
    controls: int | None = None,
) -> PhoneCode:
    """Give every source its own set of `weight` phones, keeping some back as controls.

    Controls default to a tenth of the pool, at least one when there are ten phones or more.
    Raises PoolEmpty without phones, CapacityShort when the sets cannot all differ.
    """
    if not phones:
        raise PoolEmpty("the pool has no phones", mend="import owned phones, or seed without them")
    draws = Draws(random)
    deck = draws.shuffled(list(dict.fromkeys(phones)))
    kept = len(deck) // 10 if controls is None else controls
    if kept >= len(deck):
        raise CapacityShort(
            f"{kept} control phones of {len(deck)} leave none to give out",
            mend="keep fewer back, or add phones",
        )
    usable = deck[kept:]
    size = choose_weight(len(usable), len(sources)) if weight is None else weight
    _check_capacity(len(usable), len(sources), size)
    return PhoneCode(phones=_deal(usable, sources, size, draws), controls=tuple(deck[:kept]))


def choose_weight(phones: int, sources: int) -> int:
    """Return how many phones each source should hold: its own if there are enough, else a code."""
    if phones >= sources:
        return max(1, min(phones // max(1, sources), _DEFAULT_WEIGHT))
    weight = max(1, min(_DEFAULT_WEIGHT, phones // 3))
    while comb(phones, weight) < 2 * sources and weight < phones // 2:
        weight += 1
    return weight


def count_phones_needed(sources: int, weight: int) -> int:
    """Return the least number of phones that gives every source a different set."""
    phones = weight
    while comb(phones, weight) < sources:
        phones += 1
    return phones


def share_out(
    recipes: Iterable[Recipe], code: PhoneCode, *, used: Mapping[str, int] | None = None
) -> Iterator[str]:
    """Yield a phone for each waybill of `recipes` that asks for one, in the order of make_waybills.

    A source with more baits than phones uses them again from the first. `used` says how many
    baits of a source were made before.
    """
    used = dict(used or {})
    for recipe in recipes:
        held = code.phones.get(recipe.source or "", ())
        if not recipe.phone or recipe.source is None or not held:
            continue
        for _ in range(recipe.count):
            place = used.get(recipe.source, 0)
            used[recipe.source] = place + 1
            yield held[place % len(held)]


def _check_capacity(phones: int, sources: int, weight: int) -> None:
    if 1 <= weight <= phones and comb(phones, weight) >= sources:
        return
    needed = count_phones_needed(sources, max(1, weight))
    raise CapacityShort(
        f"{phones} phones make {comb(phones, weight) if weight <= phones else 0} sets of {weight}, "
        f"{sources} sources need one each",
        mend=f"own at least {needed} phones besides the controls, or change the weight",
    )


def _deal(
    phones: Sequence[str], sources: Sequence[str], weight: int, draws: Draws
) -> dict[str, tuple[str, ...]]:
    """Deal from shuffled decks, so that no phone gets far ahead of another."""
    if weight * len(sources) <= len(phones):
        return {
            source: tuple(phones[i * weight : (i + 1) * weight]) for i, source in enumerate(sources)
        }
    dealt: dict[str, tuple[str, ...]] = {}
    seen: set[frozenset[str]] = set()
    deck: list[str] = []
    for source in sources:
        hand = _draw_hand(deck, phones, weight, draws, seen)
        seen.add(frozenset(hand))
        dealt[source] = hand
    return dealt


def _draw_hand(
    deck: list[str],
    phones: Sequence[str],
    weight: int,
    draws: Draws,
    seen: set[frozenset[str]],
) -> tuple[str, ...]:
    for _ in range(_TRIES):
        while len(set(deck)) < weight:
            deck[:0] = draws.shuffled(phones)
        hand: dict[str, None] = {}
        for phone in reversed(deck):
            hand[phone] = None
            if len(hand) == weight:
                break
        if frozenset(hand) not in seen:
            for phone in hand:
                # The last one counts: the deck is dealt from its end.
                del deck[len(deck) - 1 - deck[::-1].index(phone)]
            return tuple(hand)
        deck[:] = draws.shuffled(deck)
    return _draw_free_hand(phones, weight, draws, seen)


def _draw_free_hand(
    phones: Sequence[str], weight: int, draws: Draws, seen: set[frozenset[str]]
) -> tuple[str, ...]:
    """Find an unused set where the decks no longer offer one."""
    for _ in range(_TRIES * _TRIES):
        hand = tuple(draws.shuffled(phones)[:weight])
        if frozenset(hand) not in seen:
            return hand
    raise CapacityShort(
        f"almost every set of {weight} of {len(phones)} phones is in use",
        mend=f"own at least {ceil(len(phones) * 1.2)} phones besides the controls",
    )
