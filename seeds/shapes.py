"""How a new number of each current form is put together.

Beginnings are those seen on public samples (FACTS.md section 1 names the confidence); a beginning
named twice is drawn twice as often.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from seeds import checks
from seeds.draws import Draws


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A beginning, so many random digits, and what is added to make the number whole."""

    start: str
    digits: int
    finish: Callable[[str], str] | None = None
    tail_digits: int = 0


def draw_numbers(shapes: Sequence[Shape], count: int, draws: Draws) -> list[str]:
    """Draw `count` numbers of any of the shapes, which may repeat."""
    kinds = draws.column(count, len(shapes))
    digits = [f"{number:012d}" for number in draws.column(count, 10**12)]
    if any(shape.digits + shape.tail_digits > 12 for shape in shapes):
        more = draws.column(count, 10**12)
        digits = [f"{text}{number:012d}" for text, number in zip(digits, more, strict=True)]
    return [_write(shapes[kind], text) for kind, text in zip(kinds, digits, strict=True)]


def _write(shape: Shape, digits: str) -> str:
    body = shape.start + digits[: shape.digits]
    if shape.finish is None:
        return body
    return shape.finish(body) + digits[shape.digits : shape.digits + shape.tail_digits]


def _plain(digits: int, *starts: str) -> tuple[Shape, ...]:
    return tuple(Shape(start=start, digits=digits) for start in starts)


def _checked(
    digits: int, rule: Callable[[str], str], *starts: str, skip: int = 0
) -> tuple[Shape, ...]:
    def finish(body: str) -> str:
        return body + rule(body[skip:])

    return tuple(Shape(start=start, digits=digits, finish=finish) for start in starts)


def _s10(territory: str, *services: str) -> tuple[Shape, ...]:
    def finish(body: str) -> str:
        return body + checks.s10(body[2:]) + territory

    return tuple(Shape(start=service, digits=8, finish=finish) for service in services)


def _numeric_ems(*starts: str) -> tuple[Shape, ...]:
    def finish(body: str) -> str:
        return body + checks.s10(body[2:])

    return tuple(Shape(start=start, digits=8, finish=finish, tail_digits=2) for start in starts)


_UPS_STARTS = tuple(
    f"1Z{account}{service}"
    for account in ("999AA1", "5R8939", "E4W037", "0X118A", "88W1V3", "A6Y921", "30V5F9", "7RE214")
    for service in ("03", "66", "04", "68")
)

SHAPES: Mapping[str, tuple[Shape, ...]] = {
    "sf15": _plain(12, "SF0", "SF1", "SF1", "SF1", "SF2", "SF3", "SF6", "SF7"),
    "yto15": _plain(12, "YT2", "YT3", "YT5", "YT6", "YT7", "YT8", "YT8", "YT9"),
    "zto14": _plain(12, "73", "75", "76", "78", "78"),
    "sto15": _plain(12, "773", "776", "777", "777"),
    "yunda15": _plain(13, "31", "43", "43", "46", "46"),
    "jt15": _plain(12, "JT0", "JT2", "JT3", "JT5", "JT5"),
    "jd15": _plain(11, "JDVA", "JDVB", "JDVC", "JDVE", "JDVF", "JDVG", "JDX0", "JDK0", "JD00"),
    "dpk15": _plain(11, "DPK2", "DPK3", "DPK3", "DPL2", "DPL3"),
    "ems13": _numeric_ems("10", "11", "12", "51", "97"),
    "ems_s10": _s10("CN", "EA", "EB"),
    "post_s10": _s10("CN", "CP", "CY"),
    "post13": _plain(11, "96", "98", "98", "99"),
    "zjs_a12": _plain(12, "ZJS", "A"),
    "cn621": _plain(12, "621"),
    "lp": _plain(14, "LP00"),
    "yunexpress18": _plain(14, "YT22", "YT23", "YT24"),
    "ane12": _plain(9, "300", "301", "600"),
    "s10": (
        *_s10("CN", "RB", "LX", "EA", "CP", "UA"),
        *_s10("GB", "RB", "LZ", "VC"),
        *_s10("JP", "RR", "EN", "CP"),
        *_s10("KR", "EG", "RB"),
    ),
    "ups18": _checked(7, checks.ups, *_UPS_STARTS, skip=2),
    "fedex12": _checked(9, checks.fedex12, "77", "78", "79", "98"),
    "fedex15": _checked(12, checks.mod10_left, "56", "04", "61"),
    "impb22": _checked(14, checks.mod10_right, "9400111", "9405511", "9200190", "9361289"),
    "dhl10": _checked(8, checks.mod7, "1", "3", "5", "7", "9"),
    "dhl_piece": _plain(15, "JJD01", "JVGL0"),
    "dpd14": _checked(10, checks.mod37_36, "0998", "1550", "0130"),
    "jp7dr12": _checked(9, checks.mod7, "44", "40", "57", "36"),
    "jp_reg11": _checked(8, checks.mod7, "13", "23"),
    "cj12": _checked(9, checks.mod7, "55", "64"),
    "yodel": _plain(13, "JJD000"),
    "tba": _plain(10, "TBA01", "TBA30", "TBA31"),
    "sscc18": _checked(10, checks.mod10_right, "0693123", "3871234", "1061414"),
}
