"""Find baits in files."""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

from canary.cli.printing import print_table, show_progress
from canary.matching.paths import LabelledRegister, Result, files_under, scan_paths
from canary.matching.register import MemoryRegister, read_register
from canary.matching.sieve import Sieve, is_available, sieve_of

SHOWN = 50
SIEVE_FROM = 8 << 20


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--register",
    "register_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An offline register.csv instead of the database.",
)
@click.option("--format", "shape", type=click.Choice(["text", "jsonl"]), default="text")
@click.option("--processes", type=click.IntRange(1, 256), help="Default: all cores on big input.")
def scan(
    paths: tuple[Path, ...], *, register_file: Path | None, shape: str, processes: int | None
) -> None:
    """Find baits in text, CSV, XLSX, HTML, mail and archives, disguised or masked.

    Exits 1 when something could not be read; what was found is printed all the same.
    """
    register = read_register(register_file) if register_file else _load_register()
    step, end = show_progress("scanning", running=sys.stderr.isatty())
    results = scan_paths(
        list(paths),
        register,
        processes=processes,
        sieve=_choose_sieve(paths, register),
        progress=step,
    )
    try:
        unread = _print_lines(results) if shape == "jsonl" else _print_table(results)
    finally:
        end()
    for one in unread:
        click.echo(f"not read: {one['path']}: {one['reason']}", err=True)
    if unread:
        sys.exit(1)


def _load_register() -> MemoryRegister:
    from canary.bootstrap import open_application
    from canary.services.register import load_register

    application = open_application()
    with application.database.read() as session:
        return load_register(session, application.keys.vault)


def _choose_sieve(paths: tuple[Path, ...], register: LabelledRegister) -> Sieve | None:
    """Compile the fast sieve only where it pays."""
    size = sum(path.stat().st_size for path in files_under(paths))
    if size < SIEVE_FROM or not is_available() or not isinstance(register, MemoryRegister):
        return None
    return sieve_of(register.everything())


def _print_lines(results: Iterable[Result]) -> list[dict[str, str]]:
    unread: list[dict[str, str]] = []
    for result in results:
        if "summary" in result:
            unread = _unread(result)
        click.echo(json.dumps(result, ensure_ascii=False))
    return unread


def _print_table(results: Iterable[Result]) -> list[dict[str, str]]:
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
    counts = summary["summary"]
    assert isinstance(counts, dict)
    click.echo(
        f"{counts['matches']} matches ({levels['exact']} exact) in {counts['lines']} lines, "
        f"{counts['bytes']} bytes, {counts['seconds']:.1f} s"
    )
    return _unread(summary)


def _unread(result: Result) -> list[dict[str, str]]:
    counts = result["summary"]
    assert isinstance(counts, dict)
    return list(counts["unread"])
