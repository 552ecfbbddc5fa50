"""The import contracts hold."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_arrows_point_one_way() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_packages_stay_nearly_empty() -> None:
    """Re-exporting from a package's front is how cycles start; canary.cli holds its command."""
    fronts = [
        path
        for package in ("canary", "seeds", "webhooks")
        for path in (ROOT / package).rglob("__init__.py")
        if path.parent.name != "cli"
    ]
    assert len(fronts) > 10
    for path in fronts:
        assert len(path.read_text("utf-8").splitlines()) <= 5, path
