"""Read the bundled tables."""

import csv
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any


def read_text(name: str) -> str:
    """Return a bundled text file."""
    return (files("seeds") / "data" / name).read_text(encoding="utf-8")


def read_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a bundled CSV file by heading."""
    return list(csv.DictReader(read_text(name).splitlines()))


def read_json(name: str) -> Mapping[str, Any]:
    """Return a bundled JSON object."""
    value = json.loads(read_text(name))
    assert isinstance(value, dict)
    return value
