"""A PostgreSQL server of the tests' own: temporary, local, as another user than root."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = {"listen_addresses": "", "max_connections": "60", "shared_buffers": "32MB"}
# A test's database need not outlive a power cut; what is measured must.
HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
PATIENCE = 120.0


def find_binaries() -> Path | None:
    """Return the folder that holds initdb and postgres, the newest if there are several."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    found = installed or ([Path(on_path).resolve()] if on_path else [])
    return found[0].parent if found else None


@contextmanager
def run_server(binaries: Path, *, durable: bool = False) -> Iterator[Path]:
    """Run a server on a Unix socket; give the folder of its socket."""
    owner = _choose_owner()
    folder = Path(tempfile.mkdtemp(prefix="canary-pg-"))
    if owner:
        shutil.chown(folder, owner)
    data, dropped = folder / "data", {"user": owner, "extra_groups": []} if owner else {}
    make = [binaries / "initdb", "-D", data, "-U", "canary", "-A", "trust", "-N", "-E", "UTF8"]
    subprocess.run(
        [*make, "--locale=C"], check=True, cwd=folder, stdout=subprocess.DEVNULL, **dropped
    )
    settings = SETTINGS if durable else {**SETTINGS, **HASTY}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-k", folder, *options],
            cwd=folder,
            stderr=log,
            **dropped,
        )
    try:
        _wait_until_ready(binaries, folder, server)
        yield folder
    finally:
        # A fast shutdown: the polite one would wait for a client that a failed test left behind.
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def _choose_owner() -> str | None:
    """Name the user to run as: the server refuses root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _wait_until_ready(binaries: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ready = subprocess.run([binaries / "pg_isready", "-q", "-h", folder], check=False)
        if ready.returncode == 0:
            return
        if server.poll() is not None:
            break
        try:
            server.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError((folder / "log").read_text(errors="replace"))
