"""Carriers and their number formats."""

import sys

import click

from canary.cli.printing import as_json, print_json, print_rows
from seeds.carriers import load_carriers
from seeds.numbers import identify


@click.group()
def carriers() -> None:
    """Carriers and the formats of their numbers."""


@carriers.command("list")
@as_json
def list_carriers(*, as_json: bool) -> None:
    """List the carriers and formats known."""
    rows = [
        {
            "code": carrier.code,
            "name": f"{carrier.name_zh} {carrier.name_en}",
            "format": form.code,
            "current": "yes" if form.current else "",
            "pattern": form.pattern.pattern,
        }
        for carrier in load_carriers().values()
        for form in carrier.formats
    ]
    print_rows(
        rows,
        title="Carriers",
        columns=("code", "name", "format", "current", "pattern"),
        json_wanted=as_json,
    )


@carriers.command()
@click.argument("numbers", nargs=-1)
@as_json
def check(numbers: tuple[str, ...], *, as_json: bool) -> None:
    """Say which carriers each NUMBER could belong to, best first; `-` reads one a line."""
    if not numbers:
        raise click.UsageError("give numbers, or - to read one a line from standard input")
    given = (
        [line.strip() for line in sys.stdin if line.strip()] if numbers == ("-",) else list(numbers)
    )
    rows = [
        {
            "number": number,
            "carriers": list(dict.fromkeys(found.carrier for found in identify(number))),
        }
        for number in given
    ]
    if as_json:
        print_json(rows)
        return
    print_rows(
        [
            {"number": row["number"], "carriers": " ".join(row["carriers"]) or "none"}
            for row in rows
        ],
        title="Carriers",
        columns=("number", "carriers"),
        json_wanted=False,
    )
