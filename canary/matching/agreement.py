"""Agreement of several fields of one record: how weak findings become a strong match.

A full name counts with any second field of the same record, masks with three (a masked
phone, a masked surname and the city together still meet 0.002 innocent records a day at a
thousand baits), and only while fewer than one in a hundred such matches is to be expected
by accident in everything that is being looked through.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from canary.domain.identifiers import BaitValues, IdentifierKind, MatchForm, MatchLevel
from canary.matching import chances, masks, names
from canary.matching.confirm import Finding, confirm_masked

ACCIDENTS = 0.01  # expected accidental matches below which agreement is strong
CROWD = 1e9  # baits times records from which a common name or one mask says nothing alone
THRONG = 1e11  # the same for any name, even with its city
RARE = 1e-8  # chance below which a finding is told even in a crowd
_FEW_BITS = 2e-3  # what one innocent record in five hundred shows says nothing alone


@dataclass(frozen=True, slots=True)
class Weighed:
    """A finding with its level after agreement, and the kinds that agreed."""

    finding: Finding
    agreeing: tuple[IdentifierKind, ...]


def weigh(
    text: str, record: tuple[int, int], found: list[Finding], values: BaitValues, trials: float
) -> list[Weighed]:
    """Weigh the findings of one bait in one record; `trials` is baits times records."""
    findings = [one for one in found if one.kind is not IdentifierKind.ADDRESS]
    findings += _further(text, record, found, values)
    if len({one.kind for one in findings}) == 1 and findings[0].kind is IdentifierKind.ADDRESS:
        findings = [replace(findings[0], chance=chances.SHARED_ADDRESS)]
    agreeing = tuple(sorted({one.kind for one in findings}))
    chance = _joint_chance(findings)
    is_strong = _is_strong(findings, chance, trials)
    crowd = crowd_of(trials)
    if (crowd == 2 or (crowd and not is_strong)) and _is_lost(findings, chance, crowd):
        return []
    return [
        Weighed(_levelled(one, len(agreeing), chance, is_strong=is_strong), agreeing)
        for one in findings
        if is_strong or not _says_nothing(one, len(agreeing))
    ]


def _further(
    text: str, record: tuple[int, int], found: list[Finding], values: BaitValues
) -> Iterable[Finding]:
    """Look in the record for what else this bait would show there."""
    kinds = {one.kind for one in found}
    bait_id = found[0].bait_id
    if values.name and IdentifierKind.NAME not in kinds:
        yield from _masked_name(text, record, bait_id, values.name)
    missing = {IdentifierKind.NUMBER, IdentifierKind.PHONE} - kinds
    if missing:
        for masked in masks.masked_of(text[slice(*record)]):
            for one in confirm_masked(masked, bait_id, values):
                if one.kind in missing:
                    missing.discard(one.kind)
                    one.start, one.end = one.start + record[0], one.end + record[0]
                    yield one
    yield from _address(text, record, bait_id, values)


def _masked_name(text: str, record: tuple[int, int], bait_id: int, name: str) -> Iterable[Finding]:
    folded = names.fold_name(name)
    masked = masks.masked_name_in(text, folded, *record)
    if masked is not None:
        yield Finding(
            bait_id=bait_id,
            kind=IdentifierKind.NAME,
            form=MatchForm.MASKED,
            level=MatchLevel.CANDIDATE,
            start=masked.start,
            end=masked.end,
            value=name,
            rule="masked name",
            chance=chances.masked_name_chance(folded, masked.shown),
        )
        return
    sounding = names.homophone_in(text, folded, *record)
    if sounding is not None:
        yield Finding(
            bait_id=bait_id,
            kind=IdentifierKind.NAME,
            form=MatchForm.DISGUISED,
            level=MatchLevel.CANDIDATE,
            start=sounding[0],
            end=sounding[1],
            value=name,
            rule="name by sound",
            chance=names.sounding_chance(folded),
            made=("homophone",),
        )


def _address(
    text: str, record: tuple[int, int], bait_id: int, values: BaitValues
) -> Iterable[Finding]:
    parts = masks.address_in(text, values, *record)
    if not parts:
        return
    chance = 1.0
    for part, _, _ in parts:
        match part:
            case "city":
                chance *= chances.city_chance(values.city)
            case "district":
                chance *= chances.DISTRICT
            case _:
                chance *= chances.DETAIL
    shown = {part for part, _, _ in parts}
    yield Finding(
        bait_id=bait_id,
        kind=IdentifierKind.ADDRESS,
        form=MatchForm.EXACT if "detail" in shown else MatchForm.TRUNCATED,
        level=MatchLevel.CANDIDATE,
        start=min(start for _, start, _ in parts),
        end=max(end for _, _, end in parts),
        value="".join(
            value
            for part, value in (
                ("city", values.city),
                ("district", values.district),
                ("detail", values.detail),
            )
            if part in shown
        ),
        rule=f"address: {', '.join(sorted(shown))}",
        chance=chance,
    )


def _joint_chance(findings: Iterable[Finding]) -> float:
    best: dict[IdentifierKind, float] = {}
    for one in findings:
        best[one.kind] = min(one.chance, best.get(one.kind, 1.0))
    joint = 1.0
    for chance in best.values():
        joint *= chance
    return max(chances.FLOOR, joint)


def _is_strong(findings: list[Finding], chance: float, trials: float) -> bool:
    kinds = {one.kind for one in findings}
    if any(one.level is MatchLevel.EXACT for one in findings):
        return True
    whole = any(
        one.form is MatchForm.EXACT and one.kind is not IdentifierKind.ADDRESS for one in findings
    )
    return len(kinds) >= (2 if whole else 3) and chance * trials < ACCIDENTS


def crowd_of(trials: float) -> int:
    """Return what is looked for: 0 all, 1 no common name or mask alone, 2 no name or mask alone."""
    return (trials > CROWD) + (trials > THRONG)


def _is_lost(findings: list[Finding], chance: float, crowd: int) -> bool:
    """Tell whether weak findings of one record are lost among accidents in a crowd."""
    hidden = {one.kind for one in findings if _is_hidden(one)}
    is_masked = all(_is_hidden(one) or one.kind in _DRESS for one in findings)
    if len(hidden - {IdentifierKind.NAME}) < 2 and is_masked:
        return not _shows_house(findings)
    if crowd == 2 and len(hidden - {IdentifierKind.NAME}) < 2:
        is_carried = any(one.kind in _CARRIED and not _is_hidden(one) for one in findings)
        return not is_carried and not _shows_house(findings)
    return chance >= RARE


def _shows_house(findings: list[Finding]) -> bool:
    return any(
        one.kind is IdentifierKind.ADDRESS and one.form is MatchForm.EXACT and ("city" in one.rule)
        for one in findings
    )


_CARRIED = frozenset({IdentifierKind.NUMBER, IdentifierKind.PHONE})
_DRESS = frozenset({IdentifierKind.ADDRESS})


def _is_hidden(finding: Finding) -> bool:
    """Tell whether a part of the value is not shown; a shared host shows all there is."""
    is_cut = finding.form is MatchForm.TRUNCATED and finding.kind is IdentifierKind.NUMBER
    return finding.form is MatchForm.MASKED or is_cut


def _says_nothing(finding: Finding, agreeing: int) -> bool:
    """Tell whether a finding alone is so common that it is not worth a line."""
    return agreeing == 1 and finding.chance >= _FEW_BITS


def _levelled(finding: Finding, agreeing: int, chance: float, *, is_strong: bool) -> Finding:
    if finding.level is MatchLevel.EXACT:
        return finding
    if not is_strong:
        return (
            replace(finding, rule=f"{finding.rule}; {agreeing} of 3 fields agree")
            if finding.form is not MatchForm.EXACT
            else finding
        )
    rule = f"{finding.rule}; {agreeing} fields of the record agree"
    return replace(finding, level=MatchLevel.EXACT, chance=chance, rule=rule)
