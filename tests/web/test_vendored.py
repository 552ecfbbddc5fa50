"""Files of others are the ones we looked at."""

import hashlib
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "canary" / "web" / "static"
ROW = re.compile(r"^\| (\S+) \| (\S+) \| (\S+) \| ([^|]+) \| ([0-9a-f]{64}) \|$", re.MULTILINE)
ROWS = ROW.findall((STATIC / "VENDORED.md").read_text("utf-8"))
OWN = {"VENDORED.md", "site.css", "site.js", "logo.svg"}


@pytest.mark.parametrize(("name", "package", "version", "licence", "digest"), ROWS)
def test_vendored_file_has_its_digest(name, package, version, licence, digest):
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest
    assert version in name


def test_every_file_is_ours_or_listed():
    assert {path.name for path in STATIC.iterdir()} <= OWN | {row[0] for row in ROWS}


def test_stylesheet_calls_nobody():
    assert "url(" not in (STATIC / "site.css").read_text("utf-8")
    assert "@import" not in (STATIC / "site.css").read_text("utf-8")
