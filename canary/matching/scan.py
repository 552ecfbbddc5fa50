"""Find every bait in a text, say where, how strongly, and how likely by accident."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from canary.domain.identifiers import (
    BaitValues,
    IdentifierKind,
    MatchForm,
    MatchLevel,
    canonical_phone,
)
from canary.matching import agreement, confirm, disguise, masks, names, runs
from canary.matching.confirm import Finding
from canary.matching.headings import LONGEST, columns_of
from canary.matching.keys import FANOUT, Key
from canary.matching.markup import is_page
from canary.matching.records import Records
from canary.matching.register import Register

if TYPE_CHECKING:
    from canary.matching.sieve import Sieve

LONG = 20_000  # characters from which a sieve is asked line by line
_CROWD = 2000  # so many candidates of the weakest kind are followed up without support
_Candidate = runs.Run | masks.Masked | names.NameCandidate | masks.PlaceCandidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An identifier of a bait found in a text, with what is needed to explain it.

    `start`, `end` and `record` count code points of the original text. `chance` is the
    probability that one innocent record agrees this strongly with this one bait; multiply
    it by the number of baits and of records to get the expected accidental matches.
    """

    bait_id: int
    kind: IdentifierKind
    form: MatchForm
    level: MatchLevel
    start: int
    end: int
    surface: str
    value: str
    disguises: tuple[str, ...]
    rule: str
    chance: float
    record: tuple[int, int]
    agreeing: tuple[IdentifierKind, ...]

    @property
    def bits(self) -> float:
        """Return the strength in bits: -log2(chance)."""
        return -math.log2(self.chance)


def scan_text(
    text: str,
    register: Register,
    *,
    own_phone: str | None = None,
    corpus: float | None = None,
    is_whole: bool = True,
    heading: str | None = None,
) -> list[Match]:
    """Return every match in a text, in order of place.

    `own_phone` is the receiver's own number, which a forwarder appends and which is no
    match. `corpus` is the number of records this text is a sample of; without it, the
    records of this text count. `is_whole` False says that the text is cut from a longer
    one, so that its shortness does not make it one message; `heading` is the first line of the
    table it is cut from. A register's sieve is asked first.
    """
    closely = partial(scan_closely, register=register, own_phone=own_phone, heading=heading)
    if register.sieve is None:
        return closely(text, corpus=corpus, is_whole=is_whole)
    records = float(text.count("\n") + 1) if corpus is None else corpus
    crowd = agreement.crowd_of(register.size * records)
    if len(text) < LONG or is_page(text):
        may_hold = register.sieve.may_hold(text, crowd=crowd)
        return closely(text, corpus=corpus, is_whole=is_whole) if may_hold else []
    if heading is None:
        closely = partial(closely, heading=text[:LONGEST])
    found: list[Match] = []
    for part, shift in _passing(text, register.sieve, crowd=crowd):
        matches = closely(part, corpus=records, is_whole=False)
        found += [_moved(one, shift) for one in matches]
    return found


def _passing(text: str, sieve: "Sieve", *, crowd: int) -> Iterator[tuple[str, int]]:
    """Yield the runs of lines that the sieve lets pass, and where they begin."""
    raw = text.encode("utf-8", "surrogatepass")
    spans, _ = sieve.passing(raw, crowd=crowd)
    done = at = 0
    for _, start, end in spans:
        at += len(raw[done:start].decode("utf-8", "surrogatepass"))
        part = raw[start:end].decode("utf-8", "surrogatepass")
        yield part, at
        at += len(part)
        done = end


def _moved(match: Match, shift: int) -> Match:
    first, last = match.record
    return replace(
        match,
        start=match.start + shift,
        end=match.end + shift,
        record=(first + shift, last + shift),
    )


def scan_closely(
    text: str,
    register: Register,
    *,
    own_phone: str | None = None,
    corpus: float | None = None,
    is_whole: bool = True,
    heading: str | None = None,
) -> list[Match]:
    """Return every match in a text as `scan_text` does, by the exact engine alone.

    `heading` is the first line of the table that the text is cut from; without it, the
    text's own.
    """
    shadow = disguise.shadow_of(text)
    candidates = list(_candidates(shadow.text))
    keys = {key for key, _ in candidates}
    keys.update([f"m:{name}" for name in names.plain_names(shadow.text)])
    found = _look_up(keys, register)
    if not found:
        return []
    baits = register.values({bait_id for ids in found.values() for bait_id in ids})
    findings = _confirmed(shadow.text, candidates, found, baits)
    own = canonical_phone(own_phone).partition("-")[0] if own_phone else None
    findings = [one for one in findings if not _is_own(one, own)]
    columns = columns_of(text[:LONGEST] if heading is None else heading) if findings else None
    if columns is not None:
        findings = [one for one in findings if not columns.refuses(shadow.text, one)]
    if not findings:
        return []
    records = Records(shadow.text, is_whole=is_whole)
    trials = register.size * max(1.0, float(len(records)) if corpus is None else corpus)
    return _matches(shadow, findings, baits, records, trials)


def _candidates(text: str) -> Iterator[tuple[Key, _Candidate]]:
    for run in runs.runs_of(text):
        yield f"n:{run.value}", run
        phone = runs.phone_of(run)
        if phone is not None:
            yield f"p:{phone[0]}", run
            extension = confirm.extension_after(text, run)
            if extension:
                yield f"p:{phone[0]}-{extension}", run
    for masked in masks.masked_of(text):
        for key in masked.keys:
            yield key, masked
    for place in masks.places_in(text):
        yield place.key, place
    for name in names.disguised_names(text):
        yield f"{'mp' if name.disguise == 'pinyin' else 'm'}:{name.value}", name


def _look_up(keys: Collection[Key], register: Register) -> Mapping[Key, list[int]]:
    found = register.find(keys)
    return {key: sorted(ids) for key, ids in found.items() if 0 < len(ids) <= FANOUT}


def _confirmed(
    text: str,
    candidates: Sequence[tuple[Key, _Candidate]],
    found: Mapping[Key, list[int]],
    baits: Mapping[int, BaitValues],
) -> list[Finding]:
    confirmed: list[Finding] = []
    if sum(len(found.get(key, ())) for key, _ in candidates if key[:3] == "p31") > _CROWD:
        found = _supported(found)
    shown = {key[2:] for key in found if key[:2] == "m:"}
    named = [(f"m:{one.value}", one) for one in names.places_of(text, shown)]
    for key, candidate in chain(candidates, named):
        for bait_id in found.get(key, ()):
            if bait_id in baits:
                confirmed += _confirm(text, candidate, bait_id, baits[bait_id])
    return confirmed


def _supported(found: Mapping[Key, list[int]]) -> Mapping[Key, list[int]]:
    """Keep what only counts with another field for baits that another key found too."""
    strong = {bait_id for key, ids in found.items() if key[:3] != "p31" for bait_id in ids}
    return {
        key: ids if key[:3] != "p31" else [one for one in ids if one in strong]
        for key, ids in found.items()
    }


def _confirm(text: str, candidate: _Candidate, bait_id: int, values: BaitValues) -> list[Finding]:
    match candidate:
        case runs.Run():
            finding = confirm.confirm_run(text, candidate, bait_id, values)
        case names.NameCandidate():
            finding = confirm.confirm_name(text, candidate, bait_id, values)
        case masks.PlaceCandidate():
            finding = confirm.confirm_place(text, candidate, bait_id, values)
        case masks.Masked():
            return confirm.confirm_masked(candidate, bait_id, values)
    return [finding] if finding is not None else []


def _is_own(finding: Finding, own: str | None) -> bool:
    if own is None or finding.kind is not IdentifierKind.PHONE:
        return False
    return finding.value.partition("-")[0] == own


def _matches(
    shadow: disguise.Shadow,
    findings: list[Finding],
    baits: Mapping[int, BaitValues],
    records: Records,
    trials: float,
) -> list[Match]:
    by_record: dict[tuple[int, tuple[int, int]], list[Finding]] = defaultdict(list)
    for one in _strongest(findings):
        by_record[one.bait_id, records.around(one.start, one.end)].append(one)
    matches = [
        _match(shadow, weighed, record)
        for (bait_id, record), group in by_record.items()
        for weighed in agreement.weigh(shadow.text, record, group, baits[bait_id], trials)
    ]
    return sorted(matches, key=lambda one: (one.start, one.end, one.bait_id, one.kind))


def _strongest(findings: Iterable[Finding]) -> list[Finding]:
    """Keep one finding per bait, kind and place: what overlaps yields to the stronger."""
    kept: dict[tuple[int, str], list[Finding]] = defaultdict(list)
    for one in sorted(findings, key=lambda one: (one.start, -one.end)):
        group = kept[one.bait_id, one.kind]
        if not group or one.start >= group[-1].end:
            group.append(one)
        elif _rank(one) < _rank(group[-1]):
            group[-1] = one
    return [one for group in kept.values() for one in group]


def _rank(finding: Finding) -> tuple[bool, float]:
    return finding.level is not MatchLevel.EXACT, finding.chance


def _match(shadow: disguise.Shadow, weighed: agreement.Weighed, record: tuple[int, int]) -> Match:
    one = weighed.finding
    start, end = shadow.span(one.start, one.end)
    surface = shadow.original[start:end]
    disguises = _disguises(one, surface)
    return Match(
        bait_id=one.bait_id,
        kind=one.kind,
        form=MatchForm.DISGUISED if one.form is MatchForm.EXACT and disguises else one.form,
        level=one.level,
        start=start,
        end=end,
        surface=surface,
        value=one.value,
        disguises=disguises,
        rule=one.rule,
        chance=one.chance,
        record=shadow.span(*record),
        agreeing=weighed.agreeing,
    )


def _disguises(finding: Finding, surface: str) -> tuple[str, ...]:
    """Name what was undone between the surface and the value."""
    if surface == finding.value:
        return ()
    names_of = [*disguise.traces_of(surface), *finding.made]
    if finding.form is MatchForm.EXACT and not names_of:
        names_of = disguise.plain_traces_of(surface)
    elif finding.form is MatchForm.EXACT and disguise.has_separators(surface):
        names_of.append("separators")
    return tuple(dict.fromkeys(names_of))
