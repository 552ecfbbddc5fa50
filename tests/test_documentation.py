"""Every command, setting and message type is named in the README."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from canary.cli import root
from canary.domain.alerts import AlertType
from canary.settings import Settings

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


def list_commands(command: click.Command, path: str = "canary") -> Iterator[str]:
    """List every command that does something, by its full name."""
    if not isinstance(command, click.Group):
        yield path
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from list_commands(found, f"{path} {name}")


@pytest.mark.parametrize("command", list(list_commands(root)))
def test_command_is_in_readme(command: str) -> None:
    assert command in README


@pytest.mark.parametrize("setting", [f"CANARY_{name.upper()}" for name in Settings.model_fields])
def test_setting_is_in_readme(setting: str) -> None:
    assert setting in README


@pytest.mark.parametrize("kind", [kind.value for kind in AlertType])
def test_message_type_is_in_readme(kind: str) -> None:
    assert kind in README
