"""Deliver what is due until killed: a process that has loaded everything, and forks.

Each line read starts a child on the installation in CANARY_HOME, and is answered by its id.
"""

import os
import signal
import sys
import time
from pathlib import Path
from random import SystemRandom

from canary.bootstrap import Application, hold_sole_writer, make_sender, prepare_application
from canary.jobs import LINE
from canary.services.alerts.delivering import Outbox, cut_lines, deliver_line, list_due_by_endpoint


def main() -> None:
    """Fork a postman for each line of standard input."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                serve()
            finally:
                os._exit(1)
        print(child, flush=True)


def serve() -> None:
    """Deliver in this process, as the sole writer, as long as the one that started it lives."""
    home = Path(os.environ["CANARY_HOME"])
    application = prepare_application(
        home=home,
        database_url=f"sqlite:///{home}/canary.sqlite3",
        secret_file=home / "secrets.json",
        outbound_allow="127.0.0.1",
        log_level="error",
    )
    starter = os.getppid()
    with hold_sole_writer(application):
        while os.getppid() == starter:  # a failed test must not leave a postman behind
            deliver_due(application)
            time.sleep(0.005)


def deliver_due(application: Application) -> None:
    """Do one round of the job that delivers."""
    outbox = Outbox(
        database=application.database,
        vault=application.keys.vault,
        sender=make_sender(application),
        clock=application.clock,
        random=SystemRandom(),
    )
    with application.database.read() as session:
        due = list_due_by_endpoint(session, outbox.clock())
    for endpoint_id, ids in due.items():
        for line in cut_lines(application.database, endpoint_id, ids, LINE):
            deliver_line(outbox, line, f"postman-{os.getpid()}")


if __name__ == "__main__":
    main()
