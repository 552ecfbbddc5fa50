"""The carriers and their number formats, from carriers.json."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from seeds import checks
from seeds.errors import UnknownCarrier
from seeds.tables import read_json

# Members of the Universal Postal Union whose items reach China in numbers.
_TERRITORIES = """
AE AR AT AU BE BG BR BY CA CH CL CN CO CY CZ DE DK EE EG ES FI FR GB GR HK HR HU ID IE IL IN IR IS
IT JP KH KR KZ LA LK LT LU LV MA MD MK MM MN MO MT MX MY NG NL NO NZ PE PH PK PL PT RO RS RU SA SE
SG SI SK TH TN TR TW UA US UY UZ VN ZA
"""
S10_TERRITORIES = frozenset(_TERRITORIES.split())
# Those who carry parcels across borders or abroad, not from one Chinese city to another.
_NOT_DOMESTIC = """
UPU_S10 UPS FEDEX USPS DHL DPD JP_PARCEL CJ YODEL AMAZON GS1_SSCC YUNEXPRESS
"""
_ABROAD = frozenset(_NOT_DOMESTIC.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFormat:
    """One form of a carrier's numbers; `size` is log10 of how many the form admits."""

    code: str
    carrier: str
    pattern: re.Pattern[str]
    current: bool
    confidence: str
    size: float
    share: float
    valid_examples: tuple[str, ...]
    invalid_examples: tuple[str, ...]

    def admits(self, number: str) -> bool:
        """Tell whether a normalised number has this form and the right check digit."""
        if self.pattern.fullmatch(number) is None:
            return False
        check = _RULES.get(self.code)
        return check is None or check(number)

    @property
    def is_checked(self) -> bool:
        """Tell whether the form has a check digit that one number alone can show wrong."""
        return self.code in _RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A courier company, its names, its codes at the aggregators and its number formats."""

    code: str
    name_zh: str
    name_en: str
    kuaidi100: str | None
    kdniao: str | None
    cainiao: str | None
    formats: tuple[NumberFormat, ...]

    @property
    def is_current(self) -> bool:
        """Tell whether the carrier issues numbers today."""
        return any(form.current for form in self.formats)

    @property
    def is_domestic(self) -> bool:
        """Tell whether the carrier serves lanes inside mainland China."""
        return self.code not in _ABROAD


@cache
def load_carriers() -> Mapping[str, Carrier]:
    """Return all known carriers by code."""
    ranking = read_json("number_ranking.json")["formats"]
    carriers = [_read_carrier(row, ranking) for row in read_json("carriers.json")["carriers"]]
    return MappingProxyType({carrier.code: carrier for carrier in carriers})


def get_carrier(code: str) -> Carrier:
    """Return one carrier. Raises UnknownCarrier."""
    try:
        return load_carriers()[code]
    except KeyError:
        known = ", ".join(load_carriers())
        raise UnknownCarrier(
            f"carrier {code!r} is not known", mend=f"use one of {known}", field="carrier"
        ) from None


def _read_carrier(row: Mapping[str, object], ranking: Mapping[str, dict[str, float]]) -> Carrier:
    formats = row["formats"]
    assert isinstance(formats, list)
    return Carrier(
        code=str(row["code"]),
        name_zh=str(row["name_zh"]),
        name_en=str(row["name_en"]),
        kuaidi100=_read_code(row["kuaidi100_code"]),
        kdniao=_read_code(row["kdniao_code"]),
        cainiao=_read_code(row["cainiao_cp_code"]),
        formats=tuple(
            NumberFormat(
                code=form["id"],
                carrier=str(row["code"]),
                pattern=re.compile(form["regex"], re.ASCII),
                current=form["era"].startswith("current"),
                confidence=form["confidence"],
                size=ranking[form["id"]]["size"],
                share=ranking[form["id"]]["share"],
                valid_examples=tuple(form["examples_ok"]),
                invalid_examples=tuple(form["examples_bad"]),
            )
            for form in formats
        ),
    )


def _read_code(value: object) -> str | None:
    return None if value is None else str(value)


def _last_by(rule: Callable[[str], str], start: int = 0) -> Callable[[str], bool]:
    return lambda number: rule(number[start:-1]) == number[-1]


def _is_s10(number: str) -> bool:
    return checks.s10(number[2:10]) == number[10] and number[11:] in S10_TERRITORIES


def _is_dpd(number: str) -> bool:
    return len(number) == 14 or checks.mod37_36(number[:14]) == number[14]


_RULES: Mapping[str, Callable[[str], bool]] = {
    "ems_s10": _is_s10,
    "post_s10": _is_s10,
    "s10": _is_s10,
    "ems13": lambda number: checks.s10(number[2:10]) == number[10],
    "zjs10": _last_by(checks.mod7),
    "dhl10": _last_by(checks.mod7),
    "jp7dr12": _last_by(checks.mod7),
    "jp_reg11": _last_by(checks.mod7),
    "ups18": _last_by(checks.ups, 2),
    "fedex12": _last_by(checks.fedex12),
    "fedex15": _last_by(checks.mod10_left),
    "impb22": _last_by(checks.mod10_right),
    "usps20": _last_by(checks.mod10_right),
    "sscc18": _last_by(checks.mod10_right),
    "dpd14": _is_dpd,
}
