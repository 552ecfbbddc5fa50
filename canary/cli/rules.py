"""Rules: who hears of what, and which sightings are no news."""

import dataclasses

import click

from canary.bootstrap import open_application
from canary.cli.numbers import ROW_ID
from canary.cli.printing import as_json, name_actor, print_json, print_rows
from canary.domain.sources import SourceKind
from canary.domain.verdicts import Verdict
from canary.services.alerts import routing
from canary.services.detection import expected as expectations
from webhooks.reports import ReportKind

KINDS = click.Choice([kind.value for kind in ReportKind])


@click.group()
def route() -> None:
    """Which endpoint hears of what."""


@route.command("add")
@click.argument("endpoint")
@click.option("--source", default="", help="This source and all below it.")
@click.option("--source-kind", type=click.Choice([kind.value for kind in SourceKind]), default=None)
@click.option("--kind", type=KINDS, default=None, help="Kind of sighting.")
@click.option("--region", default="", help="Division code, or how it begins.")
@click.option("--verdict", type=click.Choice([one.value for one in Verdict]), help="At least.")
@click.option("--lang", type=click.Choice(["zh", "en"]), help="Instead of the endpoint's own.")
@click.option("--after", type=int, help="Minutes: only what nobody acknowledged by then.")
@click.option("--dry-run", is_flag=True, help="Only show what the last 30 days would have been.")
@as_json
def add_rule(
    endpoint: str,
    *,
    source: str,
    source_kind: str | None,
    kind: str | None,
    region: str,
    verdict: str | None,
    lang: str | None,
    after: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Add a rule; show what would have gone where in the last 30 days."""
    application = open_application()
    now = application.clock()
    wanted = routing.NewRule(
        endpoint=endpoint,
        source=source,
        source_kind=source_kind or "",
        sighting_kind=kind or "",
        region=region,
        least_verdict=verdict or "",
        lang=lang or "",
        after_minutes=after,
    )
    with application.database.read() as session:
        lines = routing.forecast(session, wanted, now=now)
    if not dry_run:
        with application.database.write() as session:
            routing.add_rule(session, wanted, actor=name_actor(), now=now)
    rows = [dataclasses.asdict(line) for line in lines]
    title = "Alerts of the last 30 days: by the rules before, and with this one"
    print_rows(rows, title=title, columns=("endpoint", "now", "then"), json_wanted=as_json)


@route.command("list")
@as_json
def list_rules(*, as_json: bool) -> None:
    """List the rules."""
    application = open_application()
    with application.database.read() as session:
        rows = [
            {key: "" if value is None else value for key, value in dataclasses.asdict(one).items()}
            for one in routing.list_rules(session)
        ]
    columns = tuple(field.name for field in dataclasses.fields(routing.RuleLine))
    print_rows(rows, title="Rules", columns=columns, json_wanted=as_json)


@route.command("remove")
@click.argument("rule_id", type=ROW_ID, metavar="ID")
def remove_rule(rule_id: int) -> None:
    """Remove a rule."""
    application = open_application()
    with application.database.write() as session:
        routing.remove_rule(session, rule_id, actor=name_actor(), now=application.clock())
    click.echo(f"rule {rule_id} is removed")


@click.group()
def expected() -> None:
    """Which sightings are no news, for how long, and what was swallowed."""


@expected.command("add")
@click.argument("reason")
@click.option("--kind", type=KINDS, required=True)
@click.option("--sender", default="", help="Exactly this sender.")
@click.option("--venue", default="", help="Exactly this venue.")
@click.option("--source", default="", help="Only baits placed at this source or below.")
@click.option("--reporter", default="")
@click.option("--days", type=int, default=30, show_default=True, help="It ends after this.")
@click.option("--dry-run", is_flag=True, help="Only show what it would have covered.")
@as_json
def add_expected(
    reason: str,
    *,
    kind: str,
    sender: str,
    venue: str,
    source: str,
    reporter: str,
    days: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Add a rule; show what it would have covered in the last 30 days."""
    application = open_application()
    now = application.clock()
    wanted = expectations.NewExpectation(
        reason=reason,
        kind=kind,
        sender=sender,
        venue=venue,
        source=source,
        reporter=reporter,
        days=days,
    )
    with application.database.read() as session:
        seen = expectations.preview(session, application.keys.vault, wanted, now)
    rule_id = None
    if not dry_run:
        with application.database.write() as session:
            rule_id = expectations.add_expectation(session, wanted, actor=name_actor(), now=now)
    if as_json:
        print_json({"rule": rule_id, **dataclasses.asdict(seen)})
        return
    click.echo(f"covers {seen.covered} of {seen.looked_at} such sightings of the last 30 days")
    if rule_id is not None:
        click.echo(f"rule {rule_id} holds for {days} days")


@expected.command("list")
@as_json
def list_expected(*, as_json: bool) -> None:
    """List the rules and how much each has swallowed."""
    application = open_application()
    with application.database.read() as session:
        lines = expectations.list_expectations(session, application.clock())
    rows = [
        {key: "" if value is None else value for key, value in dataclasses.asdict(line).items()}
        for line in lines
    ]
    columns = ("rule_id", "reason", "kind", "sender", "venue", "source", "expires_at", "swallowed")
    print_rows(rows, title="Expected sightings", columns=columns, json_wanted=as_json)


@expected.command("end")
@click.argument("rule_id", type=ROW_ID, metavar="ID")
@click.option("--release", is_flag=True, help="Make news of what it swallowed.")
def end_expected(rule_id: int, *, release: bool) -> None:
    """End a rule now."""
    application = open_application()
    with application.database.write() as session:
        count = expectations.end_expectation(
            session, rule_id, release=release, actor=name_actor(), now=application.clock()
        )
    click.echo(f"rule {rule_id} has ended; {count} sightings were released")
