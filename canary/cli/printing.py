"""Tables for people, JSON for programs."""

import getpass
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from canary.domain.errors import Invalid

UNCUT = 1000

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def print_json(value: object) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; cell texts are shown as they are."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    # Into a pipe or file nothing is cut off.
    console = Console(width=None if sys.stdout.isatty() else UNCUT)
    console.print(table)


def print_rows(
    rows: Sequence[Mapping[str, Any]], *, title: str, columns: Sequence[str], json_wanted: bool
) -> None:
    """Print rows as JSON or as a table of the given columns."""
    if json_wanted:
        print_json([dict(row) for row in rows])
    else:
        print_table(title, columns, ([row[column] for column in columns] for row in rows))


def write_file(path: Path, content: bytes) -> None:
    """Write what somebody asked for. Raises Invalid when it cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Invalid(
            f"{path} cannot be written: {error.strerror}", mend="choose another place"
        ) from error


def read_options(pairs: tuple[str, ...]) -> dict[str, object]:
    """Read name=value pairs; a name given again makes a list. Raises Invalid."""
    options: dict[str, object] = {}
    for pair in pairs:
        name, is_there, value = pair.partition("=")
        if not is_there or not name:
            raise Invalid(
                f"{pair[:40]!r} is no option", field="option", mend="write chat_id=-100123"
            )
        if name in options:
            earlier = options[name]
            options[name] = [*(earlier if isinstance(earlier, list) else [earlier]), value]
        else:
            options[name] = {"true": True, "false": False}.get(value, value)
    return options


def name_actor() -> str:
    """Name who runs this command, for the audit log."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def show_progress(
    label: str, *, running: bool = True
) -> tuple[Callable[[int, int], None], Callable[[], None]]:
    """Return a step and an end function for a progress bar on standard error."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not running,
    )
    task = bar.add_task(label, total=None)
    bar.start()

    def step(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)

    return step, bar.stop
