"""Accept rate and latency of signed posts against the bare floor, in one run.

    python -m benchmarks.ingest [POSTS] [CLIENTS] [DATABASE_URL]

The floor is a route in the same server, application and database that only commits one row of
the same bytes. Both take turns over several rounds; the ratio of the medians is what counts.
Without a URL it runs on SQLite, and on PostgreSQL where its server binaries are installed.
"""

import http.client
import json
import logging
import secrets
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path

from flask import Flask, Response, request
from sqlalchemy import text
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from canary.bootstrap import Application, make_server, make_web, prepare_application
from canary.domain.sightings import ChannelClass
from canary.services.inbox import intake
from tests.postgres import find_binaries, run_server
from webhooks import signing

ROUNDS = 5
BODY = json.dumps(
    {"type": "report", "data": {"kind": "listing", "text": "单号 78901234567890 李** " * 20}}
).encode()
Post = tuple[str, dict[str, str], bytes]


def main() -> None:
    """Print a table of rates and latencies."""
    posts = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    if len(sys.argv) > 3:
        measure(sys.argv[3], posts, clients)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(f"sqlite:///{folder}/canary.sqlite3", posts, clients)
    binaries = find_binaries()
    if binaries is None:
        print("postgresql: not measured, its server binaries are not installed")
        return
    with run_server(binaries, durable=True) as folder:
        measure(f"postgresql://canary@/postgres?host={folder}", posts, clients)


def measure(url: str, posts: int, clients: int) -> None:
    """Set up an installation on a database and compare both routes."""
    print(url.partition(":")[0])
    with tempfile.TemporaryDirectory() as folder:
        application = prepare_application(
            home=Path(folder), database_url=url, secret_file=Path(folder) / "secret"
        )
        secret = add_reporter(application)
        app = make_web(application)
        add_floor(app, application)
        with serving(app) as port:
            compare(port, secret, posts, clients)
        application.database.close()


def add_reporter(application: Application) -> str:
    """Add the reporter that posts, and return its secret."""
    secret = signing.new_secret()
    wanted = intake.NewReporter(
        name="bench",
        format="standard",
        channel_class=ChannelClass.OWN,
        secrets=intake.Secrets(signing=(secret,)),
    )
    with application.database.write() as session:
        vault, now = application.keys.vault, application.clock()
        intake.add_reporter(session, vault, wanted, actor="benchmark", now=now)
    return secret


def add_floor(app: Flask, application: Application) -> None:
    """Mount a bare application whose route commits one row and does nothing else."""
    kind = "BLOB" if application.database.is_sqlite else "BYTEA"
    with application.database.connect(writes=True) as connection:
        connection.execute(text("DROP TABLE IF EXISTS bench_floor"))
        connection.execute(text(f"CREATE TABLE bench_floor (id VARCHAR(80), body {kind})"))

    def floor() -> Response:
        row = {"id": request.headers["webhook-id"], "body": request.get_data()}
        with application.database.connect(writes=True) as connection:
            connection.execute(text("INSERT INTO bench_floor VALUES (:id, :body)"), row)
        return Response(status=202)

    bare = Flask("floor")
    bare.add_url_rule("/", view_func=floor, methods=["POST"])
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/floor": bare.wsgi_app})


@contextmanager
def serving(app: Flask) -> Iterator[int]:
    """Serve on a free port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = make_server(app, listener)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.close()
        thread.join(5)


def compare(port: int, secret: str, posts: int, clients: int) -> None:
    """Let both routes take turns and print the medians and their ratios."""
    rates: dict[str, list[float]] = {"/floor/": [], "/hooks/bench": []}
    waits: dict[str, list[float]] = {path: [] for path in rates}
    for path in rates:
        run(port, path, secret, clients * 4, clients)
    for _ in range(ROUNDS):
        for path, known in rates.items():
            rate, seconds = run(port, path, secret, posts, clients)
            known.append(rate)
            waits[path] += seconds
    print(f"{posts} posts of {len(BODY)} bytes by {clients} clients, {ROUNDS} rounds")
    figures = {path: (statistics.median(rates[path]), *tails(waits[path])) for path in rates}
    for path, (rate, middle, tail) in figures.items():
        print(f"{path:14} {rate:7.0f}/s  p50 {middle * 1e3:6.1f} ms  p99 {tail * 1e3:6.1f} ms")
    (floor_rate, _, floor_tail), (rate, _, tail) = figures["/floor/"], figures["/hooks/bench"]
    print(f"throughput {rate / floor_rate:.2f} of the floor; p99 {tail / floor_tail:.2f} times it")


def tails(seconds: list[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile."""
    ordered = sorted(seconds)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99)]


def run(port: int, path: str, secret: str, posts: int, clients: int) -> tuple[float, list[float]]:
    """Post from several clients at once; return posts a second and the wait of each."""
    share = [[signed(path, secret) for _ in range(posts // clients)] for _ in range(clients)]
    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        waits = [wait for one in pool.map(send_all, repeat(port), share) for wait in one]
    return len(waits) / (time.perf_counter() - start), waits


def signed(path: str, secret: str) -> Post:
    """Return one post under a fresh id."""
    message_id = f"msg_{secrets.token_hex(12)}"
    return path, signing.headers([secret], message_id, datetime.now(UTC), BODY), BODY


def send_all(port: int, posts: list[Post]) -> list[float]:
    """Send posts over one connection and return the wait of each, refusals included, in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    waits = []
    for path, headers, body in posts:
        start = time.perf_counter()
        while (pause := send_one(connection, path, headers, body)) is not None:
            time.sleep(pause)
        waits.append(time.perf_counter() - start)
    connection.close()
    return waits


def send_one(
    connection: http.client.HTTPConnection, path: str, headers: dict[str, str], body: bytes
) -> float | None:
    """Send one post; return how long to wait when the server asks for it, None when it is taken."""
    connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    answer.read()
    if answer.status == 202:
        return None
    if answer.status in (429, 503):
        return float(answer.headers["Retry-After"])
    raise SystemExit(f"{path} answered {answer.status}")


if __name__ == "__main__":
    main()
