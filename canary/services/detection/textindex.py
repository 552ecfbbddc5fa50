"""Find sightings by what their text says, though the texts are sealed.

Texts are kept encrypted, so neither FTS5 nor `tsvector` may hold them: their tables spell the
words out. Each text leaves the keyed digests (HMAC) of its runs of one, two and three characters
instead, cut to 16 bits: about a dozen runs share a bucket, and neither order nor place is kept.
Both databases then give the same candidates, also for a word of one Chinese character; each
candidate is opened and read before it is shown.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy import Select, exists, func, insert, literal, select, union_all
from sqlalchemy.orm import Session, aliased

from canary.domain.errors import Forbidden, Invalid
from canary.services.access import Viewer
from canary.storage.tables import Incident, Reporter, Sighting, TextGram
from canary.storage.vault import SealBroken, Vault
from webhooks.errors import PayloadError
from webhooks.reports import Report

# A text with more buckets than this is a candidate for every search: its rows would fill the
# table, and it would be one for most searches anyway.
MOST_BUCKETS = 6000
WHOLE = 1 << 16
LONGEST = 100
MOST_WORDS = 8
MOST_PROBED = 24
USED = 6
PROBE = 3000
SHOWN = 20
MOST_OPENED = 400
MOST_CHARACTERS = 4_000_000
AROUND = 60
SNIPPETS = 3
# From here on a single character is a word: CJK radicals, kana, ideographs, Hangul.
_WIDE = "\u2e80"
# Rare characters are not remembered, so that a stranger cannot fill the memory with them.
_KEPT = 1 << 16


class _Folding(dict[int, str]):
    """What each character becomes: compatible, caseless; blanks and hidden ones fall out."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = unicodedata.normalize("NFKC", character).casefold()
        kept = "".join(one for one in folded if not _falls_out(one))
        if code < _KEPT:
            self[code] = kept
        return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A piece of a text: before, what was found, after."""

    before: str
    found: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextHit:
    """A sighting whose text holds every word."""

    ref: str
    kind: str
    venue: str
    reporter: str
    seen_at: datetime
    incident_id: int | None
    snippets: tuple[Snippet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSearch:
    """What a search found, newest first. `older` goes on from there; None when all is read."""

    hits: tuple[TextHit, ...]
    opened: int
    older: int | None
    back_to: datetime | None


def index_report(session: Session, vault: Vault, sighting_id: int, report: Report) -> None:
    """Keep the buckets of a report's text."""
    buckets = list_buckets(vault, fold_report(report))
    if len(buckets) > MOST_BUCKETS:
        buckets = {WHOLE}
    if buckets:
        rows = [{"bucket": bucket, "sighting_id": sighting_id} for bucket in sorted(buckets)]
        session.execute(insert(TextGram), rows)


def search_texts(
    session: Session, vault: Vault, viewer: Viewer, line: str, *, older: int | None = None
) -> TextSearch:
    """Find the sightings that say every word of `line`. Raises Invalid, Forbidden.

    A search opens a bounded number of texts; `older` carries it on.
    """
    if not viewer.reads_evidence:
        msg = "this role does not read evidence"
        raise Forbidden(msg)
    words = read_words(line)
    hits: list[TextHit] = []
    opened = characters = 0
    last: tuple[int, datetime] | None = None
    rows = session.execute(_select_candidates(session, vault, words, older)).all()
    for row in rows:
        if len(hits) == SHOWN or characters > MOST_CHARACTERS:
            break
        opened, last = opened + 1, (row.id, row.seen_at)
        report = _open(vault, row.ref, row.sealed_report)
        if report is None:
            continue
        characters += len(report.text)
        if _says(report, words):
            hits.append(
                TextHit(
                    ref=row.ref,
                    kind=row.kind,
                    venue=row.venue,
                    reporter=row.reporter,
                    seen_at=row.seen_at,
                    incident_id=row.incident_id,
                    snippets=_cut_report(report, words),
                )
            )
    is_done = opened == len(rows) and len(rows) < MOST_OPENED
    return TextSearch(
        hits=tuple(hits),
        opened=opened,
        older=None if is_done or last is None else last[0],
        back_to=None if is_done or last is None else last[1],
    )


def read_words(line: str) -> tuple[str, ...]:
    """Fold the words of a search. Raises Invalid for what cannot be looked up."""
    if len(line) > LONGEST:
        raise Invalid("the search is too long", mend=f"at most {LONGEST} characters")
    words = tuple(dict.fromkeys(folded for word in line.split() if (folded := fold(word))))
    if not words:
        raise Invalid("write what to look for")
    if len(words) > MOST_WORDS:
        raise Invalid("these are too many words", mend=f"at most {MOST_WORDS}")
    if any(len(word) == 1 and word < _WIDE for word in words):
        raise Invalid("a single letter or digit is too little; one Chinese character is enough")
    return words


def fold(text: str) -> str:
    """Return text without case, width, blanks and hidden characters."""
    return text.translate(_FOLDING)


def fold_report(report: Report) -> str:
    """Return what of a report is searched: its text, and what it says about where from."""
    return "\n".join(fold(part) for part in (report.text, report.title, report.sender, report.url))


def list_buckets(vault: Vault, folded: str) -> set[int]:
    """Return the buckets of every run of one to three characters that a search may ask for."""
    runs = {one for one in folded if one >= _WIDE}
    runs.update(map("".join, pairwise(folded)))
    runs.update(
        run
        for run in map("".join, zip(folded, folded[1:], folded[2:], strict=False))
        if run.isascii()
    )
    return {_bucket(vault, run) for run in runs if "\n" not in run}


def _list_asked(vault: Vault, words: Sequence[str]) -> list[int]:
    """Return the buckets a text with these words must be in; the longest runs only."""
    runs: dict[str, None] = {}
    for word in words:
        size = min(len(word), 3 if word.isascii() else 2)
        runs.update(dict.fromkeys(word[at : at + size] for at in range(len(word) - size + 1)))
    return list(dict.fromkeys(_bucket(vault, run) for run in list(runs)[:MOST_PROBED]))


def _bucket(vault: Vault, run: str) -> int:
    return int.from_bytes(vault.digest(f"text run:{run}")[:2])


def _select_candidates(
    session: Session, vault: Vault, words: Sequence[str], older: int | None
) -> Select[int, str, bytes, str, str, datetime, int | None, str]:
    first, *others = _sort_rarest(session, _list_asked(vault, words))[:USED]
    gram, whole = aliased(TextGram), aliased(TextGram)
    runs = select(gram.sighting_id.label("id")).where(gram.bucket == first)
    whole_texts = select(whole.sighting_id.label("id")).where(whole.bucket == WHOLE)
    for bucket in others:
        also = aliased(TextGram)
        runs = runs.where(
            exists().where(also.bucket == bucket, also.sighting_id == gram.sighting_id)
        )
    if older is not None:
        runs = runs.where(gram.sighting_id < older)
        whole_texts = whole_texts.where(whole.sighting_id < older)
    both = union_all(runs, whole_texts).order_by("id").subquery()
    newest = select(both.c.id).order_by(both.c.id.desc()).limit(MOST_OPENED)
    return (
        select(
            Sighting.id,
            Sighting.ref,
            Sighting.sealed_report,
            Sighting.kind,
            Sighting.venue,
            Sighting.seen_at,
            Incident.id.label("incident_id"),
            Reporter.name.label("reporter"),
        )
        .join(Reporter, Reporter.id == Sighting.reporter_id)
        .outerjoin(Incident, Incident.id == Sighting.incident_id)
        .where(Sighting.id.in_(newest))
        .order_by(Sighting.id.desc())
    )


def _sort_rarest(session: Session, buckets: Sequence[int]) -> list[int]:
    """Put the buckets of few texts first; one of very many is as good as another."""
    if len(buckets) == 1:
        return list(buckets)
    probes = []
    for bucket in buckets:
        some = select(TextGram.sighting_id).where(TextGram.bucket == bucket).limit(PROBE).subquery()
        probes.append(
            select(literal(bucket).label("bucket"), func.count().label("texts")).select_from(some)
        )
    counts = {row.bucket: row.texts for row in session.execute(union_all(*probes))}
    return sorted(buckets, key=lambda bucket: counts[bucket])


def _says(report: Report, words: Sequence[str]) -> bool:
    folded = fold_report(report)
    return all(word in folded for word in words)


def _cut_report(report: Report, words: Sequence[str]) -> tuple[Snippet, ...]:
    """Cut out the first places of the words: in the text, or else in what goes with it."""
    for part in (report.text, report.title, report.sender, report.url):
        snippets = _cut(part, words)
        if snippets:
            return snippets
    return ()


def _cut(text: str, words: Sequence[str]) -> tuple[Snippet, ...]:
    folded = fold(text)
    places = sorted({(at, at + len(word)) for word in words if (at := folded.find(word)) >= 0})
    snippets = []
    for start, end in _find_unfolded(text, places[:SNIPPETS]):
        before = text[max(0, start - AROUND) : start]
        snippets.append(
            Snippet(before=before, found=text[start:end], after=text[end : end + AROUND])
        )
    return tuple(snippets)


def _find_unfolded(text: str, places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Turn places in the folded text into places in the text."""
    wanted = sorted({edge for place in places for edge in place})
    found: dict[int, int] = {}
    length = 0
    for at, character in enumerate(text):
        while wanted and wanted[0] <= length:
            found[wanted.pop(0)] = at
        if not wanted:
            break
        length += len(_FOLDING[ord(character)])
    spans = [(found.get(start, len(text)), found.get(end, len(text))) for start, end in places]
    return [(_skip_folded(text, start, end), end) for start, end in spans]


def _skip_folded(text: str, start: int, end: int) -> int:
    """Return where the first character stands that is still there when folded."""
    while start < end and not _FOLDING[ord(text[start])]:
        start += 1
    return start


def _open(vault: Vault, ref: str, sealed: bytes) -> Report | None:
    try:
        opened = vault.unseal(f"sightings.sealed_report|{ref}", sealed)
        return Report.from_json(opened.decode("utf-8", "replace"))
    except (SealBroken, PayloadError):
        return None


def _falls_out(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == "Cf"


_FOLDING = _Folding()
