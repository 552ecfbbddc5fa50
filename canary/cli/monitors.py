"""Monitors: pages and feeds that we look at ourselves."""

from typing import Any

import click

from canary.bootstrap import Application, make_lookout, open_application
from canary.cli.printing import as_json, name_actor, print_json, print_rows
from canary.domain.errors import CanaryError
from canary.services.monitors import checking, keeping
from canary.services.monitors.reading import Sight
from canary.services.pages.monitors import list_monitors, show_tried

EXCERPT = 400


@click.group()
def monitor() -> None:
    """Pages and feeds that are watched from here."""


@monitor.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--kind", type=click.Choice(keeping.KINDS), default="page", show_default=True)
@click.option("--every", "rhythm", type=int, default=30, show_default=True, help="In minutes.")
@click.option(
    "--basis", required=True, help="How we may lawfully read it; stands at each sighting."
)
@click.option("--select", "selector", help="CSS selector of the listing, or of each of its cards.")
@click.option("--charset", help="When neither the site nor its page says which.")
@click.option("--venue", help="What the place is called; its host otherwise.")
@click.option("--header", "headers", multiple=True, help="'Cookie: …' to send along; repeatable.")
@click.option("--tip", is_flag=True, help="Somebody sent us there: it carries less.")
@click.option("--override-robots", help="The reason for reading it against its robots.txt.")
def add_monitor(
    name: str,
    url: str,
    *,
    kind: str,
    rhythm: int,
    basis: str,
    selector: str | None,
    charset: str | None,
    venue: str | None,
    headers: tuple[str, ...],
    tip: bool,
    override_robots: str | None,
) -> None:
    """Watch a page or a feed from now on."""
    application = open_application()
    wishes = keeping.MonitorWishes(
        kind=kind,
        url=url,
        rhythm_minutes=rhythm,
        basis=basis,
        selector=selector,
        charset=charset,
        venue=venue,
        robots_override=override_robots,
        headers=keeping.read_headers("\n".join(headers)),
    )
    fetcher = make_lookout(application).fetcher
    with application.database.write() as session:
        keeping.add_monitor(
            session,
            application.keys.vault,
            fetcher,
            name,
            wishes,
            from_tip=tip,
            actor=name_actor(),
            now=application.clock(),
        )
    click.echo(f"monitor {name} looks every {rhythm} minutes")


@monitor.command("list")
@as_json
def list_all(*, as_json: bool) -> None:
    """List the monitors and how they do."""
    application = open_application()
    with application.database.read() as session:
        lines = list_monitors(session)
    rows = [
        {
            "name": line.name,
            "kind": line.kind,
            "state": line.state if line.is_active else "paused",
            "every": line.rhythm_minutes,
            "last_check": line.last_checked_at.isoformat() if line.last_checked_at else "",
            "last_change": line.last_changed_at.isoformat() if line.last_changed_at else "",
            "problem": line.last_error or "",
            "sightings": line.sightings,
        }
        for line in lines
    ]
    columns = ("name", "kind", "state", "every", "last_check", "last_change", "problem")
    print_rows(rows, title="Monitors", columns=columns, json_wanted=as_json)


@monitor.command("run")
@click.argument("names", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Show what would be taken; file nothing.")
@as_json
def run(names: tuple[str, ...], *, dry_run: bool, as_json: bool) -> None:
    """Look now: at the monitors named, else at all that are not paused."""
    application = open_application()
    lookout = make_lookout(application)
    with application.database.read() as session:
        wanted = names or tuple(one.name for one in list_monitors(session) if one.is_active)
    results: list[dict[str, Any]] = []
    for name in wanted:
        try:
            found = _try(application, lookout, name) if dry_run else _check(lookout, name)
        except CanaryError as error:
            found = {"name": name, "state": "failed", "problem": str(error)}
        results.append(found)
        if not as_json:
            _tell(found)
    if as_json:
        print_json(results)
    if any(result["problem"] for result in results):
        raise click.exceptions.Exit(1)


@monitor.command("pause")
@click.argument("name")
def pause(name: str) -> None:
    """Look no more until it is resumed."""
    _switch(name, active=False)


@monitor.command("resume")
@click.argument("name")
def resume(name: str) -> None:
    """Look again, at once."""
    _switch(name, active=True)


@monitor.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Remove a monitor; what it brought stays."""
    application = open_application()
    with application.database.write() as session:
        keeping.remove_monitor(session, name, actor=name_actor(), now=application.clock())
    click.echo(f"monitor {name} is removed")


def _switch(name: str, *, active: bool) -> None:
    application = open_application()
    with application.database.write() as session:
        keeping.switch_monitor(
            session, name, active=active, actor=name_actor(), now=application.clock()
        )
    click.echo(f"monitor {name} is {'resumed' if active else 'paused'}")


def _check(lookout: checking.Lookout, name: str) -> dict[str, Any]:
    return _show(name, checking.check_now(lookout, name))


def _try(application: Application, lookout: checking.Lookout, name: str) -> dict[str, Any]:
    sight = checking.try_look(lookout, name)
    with application.database.read() as session:
        tried = show_tried(session, application.keys.vault, sight)
    return {**_show(name, sight), "baits": tried.baits, "texts": tried.texts}


def _show(name: str, sight: Sight) -> dict[str, Any]:
    shown = ("state", "status", "size", "added", "removed", "problem")
    return {"name": name, **{key: getattr(sight, key) for key in shown}}


def _tell(found: dict[str, Any]) -> None:
    problem = f": {found['problem']}" if found["problem"] else ""
    counts = f", {found['added']} new, {found['removed']} gone" if found.get("added") else ""
    click.echo(f"{found['name']}: {found['state']}{counts}{problem}")
    for text in found.get("texts", ()):
        click.echo(text[:EXCERPT])
