"""Find baits in files."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import click

from canary.cli.printing import name_actor, print_table, show_progress
from canary.domain.errors import Invalid
from canary.matching.files import is_packed_kind
from canary.matching.paths import LabelledRegister, Result, files_under, scan_paths
from canary.matching.register import MemoryRegister, Row, read_rows
from canary.matching.sieve import Sieve, is_available, sieve_of

Counts = dict[str, Any]  # the summary of a scan

SHOWN = 50
PACKED_FROM = 20_000  # baits from which a register is packed
PACKED_RATIO = 40  # how far what is packed may well unfold
SIEVE_FROM = 8 << 20  # bytes of input from which a sieve is built
FILED = 1 << 20  # bytes of one report that --ingest files


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--register",
    "register_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An offline register.csv, or what --keep made of one, instead of the database.",
)
@click.option(
    "--keep",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save the register in a form that opens at once. It holds bait values in clear.",
)
@click.option("--format", "shape", type=click.Choice(["text", "jsonl"]), default="text")
@click.option("--processes", type=click.IntRange(1, 256), help="Default: all cores on big input.")
@click.option("--ingest", is_flag=True, help="File what matches exactly as a manual report.")
@click.option("--basis", default="", help="With --ingest: how it was lawfully obtained.")
def scan(
    paths: tuple[Path, ...],
    *,
    register_file: Path | None,
    keep: Path | None,
    shape: str,
    processes: int | None,
    ingest: bool,
    basis: str,
) -> None:
    """Find baits in text, tables, pages, mail, PDF, pictures and archives, disguised or masked.

    Exits 1 when something could not be read; what was found is printed all the same.
    """
    from canary.bootstrap import name_scan_cluster

    _check_usage(paths, register_file=register_file, keep=keep, ingest=ingest, basis=basis)
    register = _open_register(register_file)
    if keep is not None:
        register = _keep(register, keep)
    if not paths:
        return
    step, end = show_progress("scanning", running=sys.stderr.isatty())
    found: dict[str, list[str]] = {}
    results = scan_paths(
        list(paths),
        register,
        processes=processes,
        sieve=_choose_sieve(paths, register),
        progress=step,
        cluster=name_scan_cluster(),
        with_records=ingest,
    )
    results = _set_records_aside(results, found)
    try:
        counts = _print_lines(results) if shape == "jsonl" else _print_table(results)
    finally:
        end()
    if ingest:
        _file(found, basis)
    if counts["killed"]:
        click.echo("a scanning process was killed; its pieces were scanned again", err=True)
    for one in counts["unread"]:
        click.echo(f"not read: {one['path']}: {one['reason']}", err=True)
    if counts["unread"]:
        sys.exit(1)


def _check_usage(
    paths: tuple[Path, ...],
    *,
    register_file: Path | None,
    keep: Path | None,
    ingest: bool,
    basis: str,
) -> None:
    if not paths and keep is None:
        raise click.UsageError("give a file or folder to scan")
    if ingest and register_file is not None:
        raise click.UsageError("--ingest files into the database; leave --register out")
    if ingest and not basis:
        raise click.UsageError("--ingest needs --basis: how it was lawfully obtained")


def _open_register(file: Path | None) -> LabelledRegister:
    if file is None:
        return _load_register()
    if is_available():
        from canary.matching.packed import is_packed, open_packed

        if is_packed(file):
            return open_packed(file)
    return _gathered(read_rows(file))


def _load_register() -> LabelledRegister:
    from canary.bootstrap import open_application
    from canary.services.baits.register import load_rows

    application = open_application()
    with application.database.read() as session:
        return _gathered(load_rows(session, application.keys.vault))


def _gathered(rows: Iterable[Row]) -> LabelledRegister:
    """Hold baits in dictionaries while they are few, packed when they are many."""
    register = MemoryRegister()
    rows = iter(rows)
    for row in rows:
        register.add(row.bait_id, row.values, code=row.code, source=row.source)
        if register.size == PACKED_FROM and is_available():
            return _packed(_chained(register, rows))
    return register


def _chained(register: MemoryRegister, rows: Iterator[Row]) -> Iterator[Row]:
    for bait_id, values in register.items():
        yield Row(bait_id, values, *register.label(bait_id))
    yield from rows


def _packed(rows: Iterable[Row]) -> LabelledRegister:
    from canary.matching.packed import Listed, pack

    return pack(Listed(*row) for row in rows)


def _keep(register: LabelledRegister, path: Path) -> LabelledRegister:
    if not is_available():
        raise Invalid("a register cannot be packed", mend="install the scan extra")
    from canary.matching.packed import PackedRegister

    if isinstance(register, MemoryRegister):
        register = _packed(_chained(register, iter(())))
    assert isinstance(register, PackedRegister)
    try:
        register.save(path)
    except OSError as error:
        raise Invalid(
            f"{path} cannot be written: {error.strerror}", mend="choose another place"
        ) from error
    return register


def _choose_sieve(paths: tuple[Path, ...], register: LabelledRegister) -> Sieve | None:
    """Take the register's own sieve; build one only where it pays."""
    if register.sieve is not None or not isinstance(register, MemoryRegister):
        return register.sieve
    size = sum(_unfolded_size(path) for path in files_under(paths))
    return sieve_of(register.everything()) if size >= SIEVE_FROM and is_available() else None


def _unfolded_size(path: Path) -> int:
    """Guess how many bytes a file unfolds to."""
    try:
        with path.open("rb") as stream:
            return path.stat().st_size * (PACKED_RATIO if is_packed_kind(stream.read(8)) else 1)
    except OSError:
        return 0


def _set_records_aside(results: Iterable[Result], found: dict[str, list[str]]) -> Iterator[Result]:
    """Take the records out of results, and keep those of exact matches by file.

    What a machine read in a picture is no record: somebody must have looked at it.
    """
    for result in results:
        record = result.pop("record", None)
        if record is not None and result["level"] == "exact" and "box" not in result:
            records = found.setdefault(str(result["path"]), [])
            if str(record) not in records[-3:]:
                records.append(str(record))
        yield result


def _file(found: Mapping[str, list[str]], basis: str) -> None:
    """File the records of exact matches as manual reports; the same again files nothing new."""
    from canary.bootstrap import open_application
    from canary.services.inbox.manual import HandReport, report_by_hand

    application = open_application()
    for path, records in found.items():
        for body in _bodies(records):
            given = HandReport(body=body, venue=path[-200:], basis=basis, actor=name_actor())
            ref = report_by_hand(
                application.database, application.keys.vault, given, now=application.clock()
            )
            click.echo(f"filed as {ref}: {path}", err=True)


def _bodies(records: Iterable[str]) -> Iterator[bytes]:
    body = b""
    for record in records:
        line = record.encode("utf-8", "replace") + b"\n"
        if body and len(body) + len(line) > FILED:
            yield body
            body = b""
        body += line
    if body:
        yield body


def _print_lines(results: Iterable[Result]) -> Counts:
    summary: Result = {}
    for result in results:
        if "summary" in result:
            summary = result
        click.echo(json.dumps(result, ensure_ascii=False).encode("utf-8", "replace"))
    return cast(Counts, summary["summary"])


def _print_table(results: Iterable[Result]) -> Counts:
    rows: list[tuple[object, ...]] = []
    levels: Counter[str] = Counter()
    summary: Result = {}
    for result in results:
        if "summary" in result:
            summary = result
            continue
        levels[str(result["level"])] += 1
        if len(rows) < SHOWN:
            where = f"{result['path']}:{result['line']}"
            rows.append(
                (
                    where,
                    result["kind"],
                    result["level"],
                    result["form"],
                    result["surface"],
                    result["bait"],
                    result["source"],
                )
            )
    if rows:
        columns = ("where", "kind", "level", "form", "seen as", "bait", "source")
        print_table("Matches", columns, rows)
    counts = cast(Counts, summary["summary"])
    click.echo(
        f"{counts['matches']} matches ({levels['exact']} exact) in {counts['lines']} lines, "
        f"{counts['bytes']} bytes, {counts['seconds']:.1f} s"
    )
    if counts["crowded"]:
        click.echo(
            "so many records meet so many baits that common names and single masks, "
            "found everywhere by accident, were left out"
        )
    return counts
