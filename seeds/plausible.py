"""Rows as an ordinary day of parcels might show them, to measure a disguise without real data.

Not baits: names, phones and addresses follow the frequencies of the bundled tables (surnames as
people bear them, one given name in ten of a single character), and no number is anyone's.
"""

from collections.abc import Iterator, Sequence

from seeds.draws import Draws, RandomSource
from seeds.goods import load_goods
from seeds.numbers import NumberMint
from seeds.places import draw_details, load_places
from seeds.tables import read_rows
from seeds.waybills import Waybill

_SINGLE = 0.1


def make_plausible_rows(
    regions: Sequence[tuple[str, str | None]], carriers: Sequence[str], source: RandomSource
) -> Iterator[Waybill]:
    """Yield a row for each lane (region, destination or None), without phone."""
    draws = Draws(source)
    places, goods = load_places(), load_goods(source)
    mints = {carrier: NumberMint(carrier, draws) for carrier in set(carriers)}
    cities = goods.draw_origins(len(regions), draws)
    starts = [
        region if destination else city
        for (region, destination), city in zip(regions, cities, strict=True)
    ]
    origins = [place.code for place, _ in places.draw_streets(starts, draws)]
    found = places.draw_streets([end or region for region, end in regions], draws)
    details = draw_details([street for _, street in found], draws)
    parcels = goods.draw_parcels(origins, draws)
    names = _draw_names(len(regions), draws)
    for i, ((place, _), (road, inside)) in enumerate(zip(found, details, strict=True)):
        carrier = carriers[draws.below(len(carriers))]
        yield Waybill(
            number=mints[carrier].draw(1)[0],
            carrier=carrier,
            name=names[i],
            phone=None,
            province=place.province,
            city=place.city,
            district=place.district,
            detail=road + inside,
            goods=parcels[i].goods,
            weight_g=parcels[i].weight_g,
            origin=origins[i],
            destination=place.code,
            sender_name=parcels[i].sender_name,
        )


def _draw_names(count: int, draws: Draws) -> list[str]:
    """Draw names by frequency, with repeats, words and places as life has them."""
    surnames = "".join(
        row["surname"] * round(100 * float(row["share_pct"]))
        for row in read_rows("surname_freq.csv")
        if row["compound"] == "0"
    )
    chars = "".join(row["char"] for row in read_rows("given_chars.csv"))
    rows = zip(
        draws.column(count, len(surnames)),
        draws.column(count, len(chars)),
        draws.column(count, len(chars)),
        draws.column(count, 1000),
        strict=True,
    )
    return [
        surnames[surname] + chars[first] + (chars[second] if part >= 1000 * _SINGLE else "")
        for surname, first, second, part in rows
    ]
