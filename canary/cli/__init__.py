"""The `canary` command: each command parses, calls one service, prints."""

import importlib
import sys

import click

from canary import __version__

# The module that holds each command; loaded when the command is asked for.
COMMANDS = {
    "init": "setup",
    "demo": "demo",
    "serve": "setup",
    "work": "setup",
    "upgrade": "setup",
    "sources": "network",
    "phones": "network",
    "carriers": "carriers",
    "seed": "planting",
    "plant": "planting",
    "custody": "planting",
    "scan": "scan",
    "design": "design",
    "attribute": "attribute",
    "report": "incidents",
    "incidents": "incidents",
    "user": "people",
    "key": "keys",
    "inbox": "inbox",
    "rematch": "inbox",
    "drill": "drill",
    "bridge": "bridge",
    "reporter": "reporters",
    "monitor": "monitors",
    "endpoint": "doors",
    "route": "rules",
    "expected": "rules",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"canary.cli.{COMMANDS[cmd_name]}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup)
@click.version_option(__version__, package_name="waybill-canary")
def root() -> None:
    """Seed bait waybills, and learn which link leaked them."""


def main() -> None:
    """Run the command line; errors raised on purpose become one sentence and exit code 1."""
    from canary.domain.errors import CanaryError, Invalid
    from seeds.errors import SeedError
    from webhooks.errors import WebhookError

    try:
        # Outside its standalone mode click gives the code of `Exit` back instead of raising it.
        code = root.main(standalone_mode=False)
        if isinstance(code, int) and code:
            sys.exit(code)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(1)
    except Invalid as error:
        for flaw in error.flaws:
            click.echo(f"Error: {flaw}", err=True)
        sys.exit(1)
    except (CanaryError, SeedError, WebhookError, click.ClickException) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
