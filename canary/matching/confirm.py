"""Exact confirmation: does this candidate really show this bait, and how strongly."""

import re
from dataclasses import dataclass

from canary.domain.identifiers import BaitValues, IdentifierKind, MatchForm, MatchLevel
from canary.matching import chances, masks, names
from canary.matching.keys import bare_number
from canary.matching.names import fold_name
from canary.matching.runs import Run, phone_of

_NEGATIVE = re.compile(
    r"(?:身份证|证件|QQ|扣扣|企鹅|微信号|卡号|银行卡|账号|帐号|订单号|订单编号|订单|交易号|流水号|流水|时间戳"
    r"|timestamp|ISBN|条码|条形码|IMEI|ICCID|信用代码|order(?:[ _-]?(?:id|no|number))?|ts)"
    r"(?:[^\w\n]|号|码|是|为|no){0,6}\Z",
    re.IGNORECASE,
)
_MONEY_BEFORE = re.compile(r"(?:[￥¥$€£]|价格|金额|售价|RMB)[\s:：]{0,3}\Z", re.IGNORECASE)
_MONEY_AFTER = re.compile(r"\s{0,2}(?:元|块钱|万元|RMB|yuan)", re.IGNORECASE)
_WORD_BEFORE = re.compile(r"[A-Za-z]+\Z")
_JOINED = re.compile(r"[0-9A-Za-z]+")
_HEX_BEFORE = re.compile(r"0[xX][0-9a-fA-F]*\Z")
_LABELS = frozenset(
    re.findall(
        r"\w+",
        "NO NU NUM NUMBER AWB REF TEL PHONE MOBILE MOB CALL V VX WX PH M T P SMS ID TRACKING "
        "WAYBILL MAILNO POSTID",
    )
)
_CARRIERS = frozenset(re.findall(r"\w+", "SF STO ZTO YTO YD YUNDA EMS DB DHL UPS BEST USPS FEDEX"))
_EXTENSION = re.compile(
    r"[^\w\n]{0,2}(?:转|分机|ext\.?|[-,，#xX(（\[【])[^\w\n]{0,2}([0-9]{1,6})(?![0-9])",
    re.IGNORECASE,
)


@dataclass(slots=True, kw_only=True)
class Finding:
    """A confirmed sight of one value of one bait, in the shadow text."""

    bait_id: int
    kind: IdentifierKind
    form: MatchForm
    level: MatchLevel
    start: int
    end: int
    value: str
    rule: str
    chance: float
    made: tuple[str, ...] = ()


def confirm_run(text: str, run: Run, bait_id: int, values: BaitValues) -> Finding | None:
    """Confirm a run as this bait's number or phone."""
    if values.number and bare_number(values.number) == run.value:
        return _confirm_number(text, run, bait_id, values.number)
    phone = phone_of(run)
    if phone is not None and values.phone and phone[0] == values.phone.partition("-")[0]:
        return _confirm_phone(text, run, phone, bait_id, values.phone)
    return None


def _confirm_number(text: str, run: Run, bait_id: int, number: str) -> Finding | None:
    prefix = number[: len(number) - len(run.value)]
    start = _prefix_start(text, run, prefix)
    has_prefix = start is not None
    if not has_prefix and (_is_other_prefix(run, prefix) or _is_refused(text, run.start, run.end)):
        return None
    if not has_prefix and _is_joined_on(text, run.end):
        return None
    made = (run.made,) if run.made not in {"", "mixed"} else ()
    is_exact = has_prefix or not prefix
    chance = chances.number_chance(len(number) - (0 if is_exact else len(prefix)), number)
    return Finding(
        bait_id=bait_id,
        kind=IdentifierKind.NUMBER,
        form=MatchForm.EXACT,
        level=MatchLevel.EXACT if is_exact else MatchLevel.CANDIDATE,
        start=run.start if start is None else start,
        end=run.end,
        value=number,
        rule="number" if is_exact else "number without its prefix",
        chance=chance,
        made=made if is_exact else (*made, "prefix_dropped"),
    )


def _prefix_start(text: str, run: Run, prefix: str) -> int | None:
    """Return where the carrier's prefix before a run begins, None when it is not there."""
    if not prefix or not run.lead.endswith(prefix):
        return None
    left, at = len(prefix), run.start
    while left and at > run.lead_start:
        at -= 1
        left -= text[at].isascii() and text[at].isalpha()
    word = _WORD_BEFORE.search(text, max(0, at - 12), at)
    is_free = word is None or word[0].upper() in _LABELS or len(word[0]) > 3
    return at if is_free else None


def _is_other_prefix(run: Run, prefix: str) -> bool:
    """Tell whether glued letters make this another number: neither a label nor a word."""
    if not run.glued or run.lead in _LABELS:
        return False
    return len(run.lead) < 4 and (bool(prefix) or run.lead not in _CARRIERS)


def _is_joined_on(text: str, end: int) -> bool:
    """Tell whether a single letter or a hash goes on directly after the run."""
    after = _JOINED.match(text, end)
    return after is not None and (len(after[0]) == 1 or not after[0].isalpha())


def _is_refused(text: str, start: int, end: int) -> bool:
    """Tell whether the context says that these digits are something else."""
    before = text[max(0, start - 24) : start]
    if _NEGATIVE.search(before) or _MONEY_BEFORE.search(before) or _HEX_BEFORE.search(before):
        return True
    return _MONEY_AFTER.match(text, end) is not None


def _confirm_phone(
    text: str, run: Run, phone: tuple[str, int], bait_id: int, wanted: str
) -> Finding | None:
    if _is_other_prefix(run, "") or _is_refused(text, run.start, run.end):
        return None
    _, _, extension = wanted.partition("-")
    start = _after_digits(text, run, phone[1])
    end, shown = run.end, ""
    found = _EXTENSION.match(text, run.end)
    if extension and found is not None:
        end, shown = found.end(1), found[1]
    elif _is_joined_on(text, run.end) and not found:
        return None
    if extension and shown and shown != extension:
        return None
    is_exact = (not extension or shown == extension) and run.made != "homophone"
    return Finding(
        bait_id=bait_id,
        kind=IdentifierKind.PHONE,
        form=MatchForm.TRUNCATED if extension and not shown else MatchForm.EXACT,
        level=MatchLevel.EXACT if is_exact else MatchLevel.CANDIDATE,
        start=start,
        end=end,
        value=wanted,
        rule=_phone_rule(run, extension, shown),
        chance=chances.phone_chance(7, 4) if is_exact else chances.phone_chance(3, 4),
        made=(run.made,) if run.made not in {"", "mixed"} else (),
    )


def _phone_rule(run: Run, extension: str, shown: str) -> str:
    if extension and not shown:
        return "shared host without its extension"
    return "phone read by sound" if run.made == "homophone" else "phone"


def _after_digits(text: str, run: Run, count: int) -> int:
    """Return where the run goes on after its first digits, a country code being left out."""
    at, left = run.start, count
    while left:
        left -= text[at].isalnum()
        at += 1
    while at < run.end and not text[at].isalnum():
        at += 1
    return at


def extension_after(text: str, run: Run) -> str:
    """Return the extension written after a phone, or nothing."""
    found = _EXTENSION.match(text, run.end)
    return found[1] if found else ""


def confirm_masked(masked: masks.Masked, bait_id: int, values: BaitValues) -> list[Finding]:
    """Confirm a masked piece as this bait's number or phone, or as both."""
    found = []
    form = MatchForm.TRUNCATED if masked.is_cut else MatchForm.MASKED
    number = masks.fits_number(masked, values.number) if values.number else None
    if number is not None and values.number:
        chance = chances.number_chance(number, values.number, letters=bool(masked.head))
        found.append(_partial(masked, bait_id, IdentifierKind.NUMBER, values.number, form, chance))
    phone = masks.fits_phone(masked, values.phone) if values.phone else None
    if phone is not None and values.phone:
        chance = chances.phone_chance(*phone)
        found.append(_partial(masked, bait_id, IdentifierKind.PHONE, values.phone, form, chance))
    return found


def _partial(
    masked: masks.Masked,
    bait_id: int,
    kind: IdentifierKind,
    value: str,
    form: MatchForm,
    chance: float,
) -> Finding:
    return Finding(
        bait_id=bait_id,
        kind=kind,
        form=form,
        level=MatchLevel.CANDIDATE,
        start=masked.start,
        end=masked.end,
        value=value,
        rule=f"{form} {kind}",
        chance=chance,
    )


def confirm_place(
    text: str, place: masks.PlaceCandidate, bait_id: int, values: BaitValues
) -> Finding | None:
    """Confirm a house number as that of this bait's address, which must stand there whole."""
    detail = fold_name(values.detail)
    shift = detail.find(place.key[2:])
    start = place.start - shift
    if shift < 0 or start < 0 or not text.startswith(detail, start):
        return None
    return Finding(
        bait_id=bait_id,
        kind=IdentifierKind.ADDRESS,
        form=MatchForm.EXACT,
        level=MatchLevel.CANDIDATE,
        start=start,
        end=start + len(detail),
        value=values.detail,
        rule="address: detail",
        chance=chances.SHARED_ADDRESS,
    )


def confirm_name(
    text: str, candidate: names.NameCandidate, bait_id: int, values: BaitValues
) -> Finding | None:
    """Confirm a piece of text as this bait's whole name."""
    folded = names.fold_name(values.name) if values.name else ""
    in_pinyin = candidate.disguise == "pinyin"
    wanted = names.reading_of(folded) if in_pinyin else folded
    if not folded or candidate.value != wanted or not names.is_bounded(text, candidate, folded):
        return None
    chance = names.name_chance(folded) * (chances.PINYIN_TWINS if in_pinyin else 1.0)
    return Finding(
        bait_id=bait_id,
        kind=IdentifierKind.NAME,
        form=MatchForm.EXACT,
        level=MatchLevel.CANDIDATE,
        start=candidate.start,
        end=candidate.end,
        value=values.name or "",
        rule="name alone",
        chance=chance,
        made=(candidate.disguise,) if candidate.disguise else (),
    )
