"""Do a dead, a busy and a hanging endpoint delay the healthy ones?

1,000 incidents are told to five endpoints on loopback: two take everything, one is dead (nobody
listens), one answers 429 with Retry-After, one accepts and never answers. The jobs are those of
`canary serve`. Goal: the healthy two have everything within 60 s of the last incident, and every
delivery is accounted for. Exits 1 when it is missed. Usage: benchmarks/alerts.py [INCIDENTS]
"""

import json
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sqlalchemy import func, select

from canary.bootstrap import Application, make_jobs, make_sender, prepare_application
from canary.domain.alerts import AlertType
from canary.domain.incidents import IncidentState
from canary.domain.verdicts import Verdict
from canary.services.alerts.alerting import Route, add_endpoint, put_alert
from canary.storage.tables import Alert, Delivery, Endpoint, Incident
from webhooks.signing import new_secret

GOAL_SECONDS = 60.0
BOUND_SECONDS = 240.0


class Receiver(BaseHTTPRequestHandler):
    """Takes what it is sent, or asks to come again."""

    status = 204
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.headers["webhook-id"], time.monotonic()))  # type: ignore[attr-defined]
        self.send_response(self.status)
        if self.status == 429:
            self.send_header("Retry-After", "30")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Busy(Receiver):
    """Answers 429."""

    status = 429


class Server(ThreadingHTTPServer):
    """Remembers ids and times."""

    daemon_threads = True

    def __init__(self, handler: type[Receiver]) -> None:
        self.taken: list[tuple[str, float]] = []
        super().__init__(("127.0.0.1", 0), handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@contextmanager
def run_hanging() -> Iterator[int]:
    """Accept connections and never answer."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:

        def accept() -> None:
            while True:
                try:
                    kept.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield int(listener.getsockname()[1])
        for one in kept:
            one.close()


def find_dead_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def tell(application: Application, count: int) -> None:
    """Open incidents one by one, each with its alert in the same transaction."""
    for number in range(count):
        now = application.clock()
        with application.database.write() as session:
            incident = Incident(
                scope=f"benchmark:{number}",
                state=IncidentState.OPEN,
                verdict=Verdict.WEAK,
                opened_at=now,
                last_sighting_at=now,
            )
            session.add(incident)
            session.flush()
            put_alert(
                session,
                AlertType.INCIDENT_OPENED,
                incident_id=incident.id,
                revision=1,
                data={"title": f"incident {number}", "lines": ["one", "two"]},
                now=now,
            )


def measure(count: int) -> dict[str, object]:
    healthy, busy = [Server(Receiver), Server(Receiver)], Server(Busy)
    with tempfile.TemporaryDirectory() as folder, run_hanging() as hanging_port:
        application = prepare_application(
            home=Path(folder),
            database_url="",
            outbound_allow=("127.0.0.1",),
            log_level="error",
        )
        ports = {
            "dead": find_dead_port(),
            "hanging": hanging_port,
            "busy": busy.server_port,
            "healthy-1": healthy[0].server_port,
            "healthy-2": healthy[1].server_port,
        }
        with application.database.write() as session:
            for name, port in ports.items():
                url = f"http://127.0.0.1:{port}/alerts"
                route = Route(
                    name=name,
                    format="standard",
                    config={"url": url, "secrets": [new_secret()], "options": {}},
                )
                add_endpoint(
                    session,
                    application.keys.vault,
                    make_sender(application),
                    route,
                    lang="en",
                    actor="benchmark",
                    now=application.clock(),
                )
        jobs = make_jobs(application)
        jobs.start()
        started = time.monotonic()
        try:
            tell(application, count)
            last = time.monotonic()
            while any(len(one.taken) < count for one in healthy):
                if time.monotonic() - last > BOUND_SECONDS:
                    break
                time.sleep(0.2)
        finally:
            jobs.stop()
        return report(application, healthy, count, started, last)


def report(
    application: Application, healthy: list[Server], count: int, started: float, last: float
) -> dict[str, object]:
    with application.database.read() as session:
        refs = set(session.scalars(select(Alert.ref).where(Alert.type == "incident.opened")))
        states = {
            f"{name} {state}": number
            for name, state, number in session.execute(
                select(Endpoint.name, Delivery.state, func.count())
                .join(Delivery, Delivery.endpoint_id == Endpoint.id)
                .join(Alert, Alert.id == Delivery.alert_id)
                .where(Alert.type == "incident.opened")
                .group_by(Endpoint.name, Delivery.state)
            )
        }
        attempts = session.scalar(select(func.max(Delivery.attempts)))
    counts = [Counter(ref for ref, _ in one.taken if ref in refs) for one in healthy]
    done_at = max((at for one in healthy for _, at in one.taken), default=last)
    return {
        "incidents": count,
        "told_in_seconds": round(last - started, 1),
        "healthy_complete": all(set(one) == refs for one in counts),
        "doubled": sum(number - 1 for one in counts for number in one.values()),
        "seconds_after_the_last": round(max(0.0, done_at - last), 1),
        "deliveries": states,
        "accounted_for": sum(states.values()) == 5 * count,
        "most_attempts": attempts,
    }


def main() -> int:
    found = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    print(json.dumps(found, indent=1))
    seconds = found["seconds_after_the_last"]
    is_good = found["healthy_complete"] and found["accounted_for"]
    return 0 if is_good and isinstance(seconds, float) and seconds <= GOAL_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
