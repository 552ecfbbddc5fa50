"""Start `canary` again and again without the wait: a process that has loaded it, and forks.

Reads one JSON list of arguments a line, runs the command in a child, answers the child's id.
"""

import json
import os
import signal
import sys

import canary.attribution.infer
import canary.bootstrap
import canary.cli.setup
import canary.doors
import canary.jobs
import canary.web.app  # noqa: F401 - loaded for the children
from canary.cli import root


def main() -> None:
    """Serve orders from standard input until it ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(json.loads(line))
        print(child, flush=True)


def run(arguments: list[str]) -> None:
    """Be the command, and nothing after it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(2, 1)
    try:
        root.main(arguments, standalone_mode=False)
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
