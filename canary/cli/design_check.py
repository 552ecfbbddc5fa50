"""Compare baits with real rows."""

from pathlib import Path
from secrets import SystemRandom

import click

from canary.bootstrap import open_application
from canary.cli.printing import as_json, print_json, print_table
from canary.services.baits import designing
from canary.services.stock.imports import read_table
from seeds.people import NameStyle
from seeds.waybills import Waybill

PASSES = 0.6


@click.command()
@click.option(
    "--real",
    "real_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A sample of real rows; without it, plausible rows made here.",
)
@click.option("--batch", help="The baits of this batch; without it, baits made for the sample.")
@click.option(
    "--names",
    type=click.Choice([style.value for style in NameStyle]),
    default=NameStyle.BLENDED.value,
    show_default=True,
)
@as_json
def check(*, real_file: Path | None, batch: str | None, names: str, as_json: bool) -> None:
    """Let a classifier try to tell baits from real rows: AUC, and the feature that tells."""
    random = SystemRandom()
    if real_file is not None:
        real = designing.read_sample(read_table(real_file, required=()))
    else:
        real = designing.make_bundled(random)
    baits = _load(batch) if batch else designing.make_like(real, NameStyle(names), random)
    found = designing.judge_disguise(baits, real, random)
    if as_json:
        print_json(
            {
                "auc": found.auc,
                "telling": found.telling,
                "features": dict(found.features),
                "baits": len(baits),
                "real": len(real),
            }
        )
        return
    print_table(
        "Features", ("feature", "AUC alone"), ((name, f"{auc:.3f}") for name, auc in found.features)
    )
    verdict = "they pass" if found.auc <= PASSES else f"they stand out by their {found.telling}"
    click.echo(f"AUC {found.auc:.3f} over {len(baits)} baits and {len(real)} rows: {verdict}")


def _load(batch: str) -> list[Waybill]:
    application = open_application()
    with application.database.read() as session:
        return designing.load_waybills(session, application.keys.vault, batch)
