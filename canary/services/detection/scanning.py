"""Look through a pasted text or a file for baits, and file it as a report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.errors import Conflict
from canary.matching.blocks import Block, Unread
from canary.matching.pictures import doubted
from canary.matching.register import Register
from canary.matching.scan import Match as Found
from canary.matching.scan import scan_text
from canary.services.access import Viewer
from canary.services.detection.excerpts import Excerpt, Mark, Span, build_evidence
from canary.services.detection.finding import count_records, is_worth
from canary.services.detection.live import LiveRegister
from canary.services.inbox.filetext import FILE_NAME, MOST_CHARACTERS, read_pieces
from canary.services.inbox.manual import HandReport, report_by_hand
from canary.services.uploads import UploadLine, get_upload, open_upload, show_upload
from canary.storage.session import Database
from canary.storage.tables import Bait, Placement, Source
from canary.storage.vault import Vault

PURPOSE = "scan"
SHOWN = 60
BAITS_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundBait:
    """A bait that was found, where it had been placed, and how often it is in there."""

    ref: str
    source_code: str
    source_name: str
    kinds: tuple[str, ...]
    times: int
    is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPart:
    """A file, or a member of an archive, with the places where baits are."""

    path: str
    excerpts: tuple[Excerpt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPage:
    """What a scan found. `unread` says what was not looked at, and why.

    `accidents` counts the matches left out because chance brings as many; `proposed` is what a
    machine read in pictures, for somebody to check.
    """

    line: UploadLine
    baits: tuple[FoundBait, ...]
    more_baits: int
    matches: int
    accidents: int
    parts: tuple[ScanPart, ...]
    unread: tuple[tuple[str, str], ...]
    proposed: str


def run_scan(session: Session, vault: Vault, live: LiveRegister, ref: str) -> ScanPage:
    """Look through what was kept. Raises NotFound."""
    row = get_upload(session, ref, PURPOSE)
    body = open_upload(vault, row)
    register = live.or_stored(session)
    found: list[Found] = []
    parts: list[ScanPart] = []
    blocks, unread = _read_blocks(body)
    records = sum(count_records(block.text) for block in blocks)
    accidents = 0
    for block in blocks:
        every = _scan_block(block, register, records)
        matches = [one for one in every if is_worth(one, records, register.size)]
        accidents += len(every) - len(matches)
        found += matches
        if matches and len(parts) < SHOWN:
            parts.append(_to_part(block, matches))
    baits = _name_baits(session, found)
    return ScanPage(
        line=show_upload(row),
        baits=_sum_up(found, baits)[:BAITS_SHOWN],
        more_baits=max(0, len({one.bait_id for one in found}) - BAITS_SHOWN),
        matches=len(found),
        accidents=accidents,
        parts=tuple(parts),
        unread=tuple((_short_path(one.path), one.reason) for one in unread),
        proposed="\n".join(block.text for block in blocks if block.places),
    )


def _scan_block(block: Block, register: Register, records: int) -> list[Found]:
    is_whole = block.until == len(block.text)
    found = scan_text(
        block.text, register, corpus=records, is_whole=is_whole, heading=block.heading or None
    )
    return [
        doubted(one) if block.places else one
        for one in found
        if block.since <= one.start < block.until
    ]


def report_scan(
    database: Database,
    vault: Vault,
    ref: str,
    *,
    venue: str,
    basis: str,
    transcription: str,
    viewer: Viewer,
    now: datetime,
) -> str:
    """File what was scanned as a report by hand, once.

    `transcription` is what somebody checked in pictures. Raises Invalid, Conflict, NotFound.
    """
    with database.read() as session:
        row = get_upload(session, ref, PURPOSE)
        if row.done_as is not None:
            msg = "this scan was reported already"
            raise Conflict(msg)
        body = open_upload(vault, row)
    given = HandReport(
        body=body, venue=venue, basis=basis, actor=viewer.name, transcription=transcription
    )
    # The same bytes from the same venue are one post, so that a second click files nothing.
    filed = report_by_hand(database, vault, given, now=now)
    with database.write() as session:
        get_upload(session, ref, PURPOSE).done_as = filed
    return filed


def _read_blocks(body: bytes) -> tuple[list[Block], list[Unread]]:
    """Read the text of a file, as much of it as a page waits for."""
    blocks: list[Block] = []
    unread: list[Unread] = []
    characters = 0
    for piece in read_pieces(body):
        if isinstance(piece, Unread):
            unread.append(piece)
            continue
        blocks.append(piece)
        characters += len(piece.text)
        if characters > MOST_CHARACTERS:
            unread.append(Unread(path="", reason="too much text for this page: the rest"))
            break
    return blocks, unread


def _to_part(block: Block, matches: Sequence[Found]) -> ScanPart:
    evidence = build_evidence(block.text, [_to_span(one) for one in matches])
    return ScanPart(
        path=_short_path(block.path) + (f" · {block.sheet}" if block.sheet else ""),
        excerpts=tuple(
            Excerpt(
                line=piece.line + block.line - 1,
                segments=piece.segments,
                is_cut_before=piece.is_cut_before,
                is_cut_after=piece.is_cut_after,
            )
            for piece in evidence.excerpts
        ),
    )


def _to_span(match: Found) -> Span:
    mark = Mark(
        bait_ref="",
        kind=match.kind,
        form=match.form,
        level=match.level,
        rule=match.rule,
        chance=match.chance,
        disguises=match.disguises,
        agreeing=tuple(str(kind) for kind in match.agreeing),
    )
    return Span(
        start=match.start,
        end=match.end,
        record_start=match.record[0],
        record_end=match.record[1],
        mark=mark,
    )


def _name_baits(session: Session, found: Sequence[Found]) -> Mapping[int, tuple[str, str, str]]:
    ids = sorted({one.bait_id for one in found})
    named: dict[int, tuple[str, str, str]] = {}
    for start in range(0, len(ids), 500):
        rows = session.execute(
            select(Bait.id, Bait.ref, Source.code, Source.name)
            .outerjoin(Placement, Placement.bait_id == Bait.id)
            .outerjoin(Source, Source.id == Placement.source_id)
            .where(Bait.id.in_(ids[start : start + 500]))
        )
        named.update({row[0]: (row[1], row[2] or "", row[3] or "") for row in rows})
    return named


def _sum_up(
    found: Sequence[Found], named: Mapping[int, tuple[str, str, str]]
) -> tuple[FoundBait, ...]:
    grouped: dict[int, list[Found]] = {}
    for one in found:
        grouped.setdefault(one.bait_id, []).append(one)
    lines = []
    for bait_id, matches in grouped.items():
        ref, code, name = named[bait_id]
        lines.append(
            FoundBait(
                ref=ref,
                source_code=code,
                source_name=name,
                kinds=tuple(dict.fromkeys(str(one.kind) for one in matches)),
                times=len(matches),
                is_exact=any(one.level == "exact" for one in matches),
            )
        )
    return tuple(sorted(lines, key=lambda line: (not line.is_exact, -line.times, line.ref)))


def _short_path(path: str) -> str:
    """Return what of a path the reader knows: the members inside, not our temporary folder."""
    return path.rpartition(f"/{FILE_NAME}")[2].lstrip("!")
