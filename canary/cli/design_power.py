"""What a number of baits buys against a seller who shows part of what he has."""

import click

from canary.cli.printing import as_json, print_json
from seeds.power import chance_seen, count_baits_needed, count_days_needed


@click.command()
@click.option("--baits", type=click.IntRange(0), required=True, help="Baits a day.")
@click.option("--parcels", type=click.IntRange(1), required=True, help="Parcels a day.")
@click.option("--rows", type=click.IntRange(0), required=True, help="Rows the seller shows a day.")
@click.option("--days", type=click.IntRange(1), default=30, show_default=True)
@click.option(
    "--chance",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
)
@as_json
def power(*, baits: int, parcels: int, rows: int, days: int, chance: float, as_json: bool) -> None:
    """Tell the chance that a bait is seen within DAYS, and how many baits CHANCE needs."""
    volume = {"parcels_per_day": parcels, "rows_shown_per_day": rows}
    seen = chance_seen(days=days, baits_per_day=baits, **volume)
    needed = count_baits_needed(days=days, chance=chance, **volume)
    after = count_days_needed(baits_per_day=baits, chance=chance, **volume)
    if as_json:
        print_json({"chance": seen, "days": days, "baits_needed": needed, "days_needed": after})
        return
    click.echo(f"chance to be seen within {days} days: {seen:.1%}")
    click.echo(f"baits a day for {chance:.0%} within {days} days: {needed}")
    click.echo(
        f"days until {chance:.0%} with {baits} baits a day: {'never' if after is None else after}"
    )
