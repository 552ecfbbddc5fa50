"""The main job on a fresh temporary database: seed, plant, a leak, real posts, a verdict."""

import json
import random
import secrets
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import click
from rich.console import Console

from canary.bootstrap import (
    Application,
    make_jobs,
    make_sender,
    make_web,
    prepare_application,
    serve_in_thread,
)
from canary.cli import story
from canary.cli.printing import print_json
from canary.domain.errors import CanaryError
from canary.domain.sightings import ChannelClass
from canary.services.access import create_user
from canary.services.alerts import alerting
from canary.services.baits.confirming import confirm_planting
from canary.services.baits.planting import Gardener, export_sheets
from canary.services.baits.seeding import Nursery, SeedOrder, seed_batch
from canary.services.inbox import intake
from canary.services.pages.summaries import count_open_work, list_summaries, load_summary
from canary.services.stock.imports import read_table
from canary.services.stock.phones import REQUIRED as PHONE_COLUMNS
from canary.services.stock.phones import import_phones, list_control_numbers
from canary.services.stock.sources import OPTIONAL as SOURCE_OPTIONAL
from canary.services.stock.sources import REQUIRED as SOURCE_COLUMNS
from canary.services.stock.sources import import_sources, list_sources
from seeds.carriers import load_carriers
from webhooks import signing
from webhooks.digests import hmac_base64
from webhooks.errors import SignatureError
from webhooks.outbound.addresses import AddressPolicy
from webhooks.outbound.sender import HttpSender
from webhooks.outbound.sending import Request

BATCH = "demo-2026"
PER_SOURCE = 8
OWNED_AGO = timedelta(days=60)
SEEDED_AGO = timedelta(days=21)
PLANTED_AGO = timedelta(days=20)
PATIENCE_SECONDS = 300.0
USER = "analyst"
SMS_REPORTER = "sms-rack"
PAGE_REPORTER = "market-watch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the story is played: an opened installation and how to call it."""

    application: Application
    base_url: str
    folder: Path
    say: Callable[[str], None]
    password: str
    page_secret: str
    sms_secret: str
    chance: random.Random


@click.command()
@click.option("--no-serve", is_flag=True, help="End after the verdict.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--random-seed", type=int, help="Fix who leaks.")
@click.option("--lang", type=click.Choice(["zh", "en"]), help="Language of the verdict.")
def demo(*, no_serve: bool, as_json: bool, random_seed: int | None, lang: str | None) -> None:
    """Play the main job for real on a temporary database, and name the leaking source."""
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)

    def say(sentence: str) -> None:
        console.print(sentence, markup=False)

    folder = Path(tempfile.mkdtemp(prefix="waybill-canary-demo-"))
    try:
        chance = random.Random(random_seed)  # noqa: S311 - tells a story, guards nothing
        outcome = _play(folder, say, chance, serve=not no_serve, lang=lang)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        print_json(outcome)
    if outcome["named"] != [outcome["truth"]]:
        sys.exit(1)


def _play(
    folder: Path,
    say: Callable[[str], None],
    chance: random.Random,
    *,
    serve: bool,
    lang: str | None,
) -> dict[str, Any]:
    listener = socket.create_server(("127.0.0.1", 0))
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    application = prepare_application(
        home=folder,
        database_url=f"sqlite:///{folder}/canary.sqlite3",
        secret_file=folder / "secrets.json",
        public_url=base_url,
        outbound_allow="127.0.0.1",
        log_level="error",
        **({"lang": lang} if lang else {}),
    )
    say("1. A fresh database with its own keys.")
    parents = _seed_and_plant(application, folder / "sheets", say)
    leak = story.choose_leak(story.read_sheets(folder / "sheets"), parents, chance)
    with _alert_receiver(say) as alert_url:
        stage = _open_doors(application, base_url, folder, say, chance, alert_url)
        with _running(application, listener):
            say(f"3. The server answers at {base_url}.")
            _post_everything(stage, leak)
            _wait_until_settled(application)
            outcome = _tell_verdict(stage, leak)
            if serve:
                _keep_serving(stage)
    return outcome


def _seed_and_plant(
    application: Application, sheets: Path, say: Callable[[str], None]
) -> dict[str, str | None]:
    """Import the sample network and pool, seed, hand over and confirm, three weeks ago."""
    now, vault, database = application.clock(), application.keys.vault, application.database
    sample = resources.files("canary.cli") / "sample"
    with resources.as_file(sample / "sources.csv") as file:
        source_rows = read_table(file, required=SOURCE_COLUMNS, optional=SOURCE_OPTIONAL)
    with resources.as_file(sample / "phones.csv") as file:
        phone_rows = read_table(file, required=PHONE_COLUMNS)
    with database.write() as session:
        carriers = list(load_carriers())
        import_sources(session, source_rows, carriers=carriers, actor="demo", now=now - OWNED_AGO)
        import_phones(session, vault, phone_rows, actor="demo", now=now - OWNED_AGO)
    nursery = Nursery(
        database=database,
        vault=vault,
        random=secrets.SystemRandom(),
        clock=lambda: now - SEEDED_AGO,
        actor="demo",
    )
    made = seed_batch(nursery, SeedOrder(batch=BATCH, per_source=PER_SOURCE))
    gardener = Gardener(
        database=database, vault=vault, clock=lambda: now - PLANTED_AGO, actor="demo"
    )
    export_sheets(gardener, BATCH, sheets, template="generic", sheet_format="csv")
    with database.write() as session:
        confirm_planting(
            session,
            batch_name=BATCH,
            confirmed_by="demo",
            at=now - PLANTED_AGO,
            actor="demo",
            now=now,
        )
    with database.read() as session:
        parents = {str(row["code"]): str(row["parent"]) or None for row in list_sources(session)}
    say(
        f"2. {len(parents)} sources over four levels hold {made.baits} bait waybills, "
        f"{made.controls} more stay home as controls; dated three weeks back."
    )
    return parents


def _open_doors(
    application: Application,
    base_url: str,
    folder: Path,
    say: Callable[[str], None],
    chance: random.Random,
    alert_url: tuple[str, str],
) -> Stage:
    """Add the two reporters, the alert endpoint, and somebody who may sign in."""
    stage = Stage(
        application=application,
        base_url=base_url,
        folder=folder,
        say=say,
        password=secrets.token_urlsafe(12),
        page_secret=signing.new_secret(),
        sms_secret=secrets.token_urlsafe(16),
        chance=chance,
    )
    now, vault = application.clock(), application.keys.vault
    with application.database.write() as session:
        create_user(
            session, name=USER, password=stage.password, role="admin", now=now, actor="demo"
        )
        for name, reader, kind, secret in (
            (PAGE_REPORTER, "page", ChannelClass.OWN, stage.page_secret),
            (SMS_REPORTER, "smsforwarder", ChannelClass.ARRIVAL, stage.sms_secret),
        ):
            wanted = intake.NewReporter(
                name=name,
                format=reader,
                channel_class=kind,
                secrets=intake.Secrets(signing=(secret,)),
            )
            intake.add_reporter(session, vault, wanted, actor="demo", now=now)
        url, secret = alert_url
        route = alerting.Route(
            name="security-team", format="standard", config={"url": url, "secrets": [secret]}
        )
        sender = make_sender(application)
        alerting.add_endpoint(session, vault, sender, route, lang="en", actor="demo", now=now)
    return stage


@contextmanager
def _running(application: Application, listener: socket.socket) -> Iterator[None]:
    jobs = make_jobs(application)
    with serve_in_thread(make_web(application, jobs=jobs), listener):
        jobs.start()
        try:
            yield
        finally:
            jobs.stop()


@contextmanager
def _alert_receiver(say: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """Stand in for the security team's receiver: checks the signature of each alert it gets."""
    secret = signing.new_secret()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                signing.verify([secret], headers, body, datetime.now().astimezone())
                kind = headers.get("ce-type") or _type_of(body)
                say(f"   alert received and its signature verified: {kind}")
                self.send_response(204)
            except SignatureError:
                self.send_response(401)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/alerts", secret
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def _type_of(body: bytes) -> str:
    return str(json.loads(body).get("type"))


def _post_everything(stage: Stage, leak: story.Leak) -> None:
    """Play the outside world by real HTTP: noise first, then the leak."""
    _post_page(stage, story.write_plain_listing(), "another-market.example", "utf-8")
    stage.say("4. Noise: another market's listing without baits, and ordinary messages.")
    with stage.application.database.read() as session:
        controls = list_control_numbers(session, stage.application.keys.vault)
    for text, phone in zip(story.NOISE_SMS, controls, strict=False):
        _post_sms(stage, "106" + str(stage.chance.randrange(10**7, 10**8)), text, phone)
    page = story.write_listing(leak, stage.chance)
    _post_page(stage, page, "danhao-market.example", "gb2312")
    stage.say(f"5. A resale listing (GB18030, {len(page)} bytes) was posted by {PAGE_REPORTER}.")
    text = story.spam_to(leak.spammed, stage.chance)
    sender = f"+86170{stage.chance.randrange(10**8):08d}"
    _post_sms(stage, sender, text, leak.spammed.phone)
    stage.say(f"6. A spam SMS reached one bait phone, forwarded by {SMS_REPORTER}.")


def _post(stage: Stage, name: str, body: bytes, headers: dict[str, str]) -> None:
    sender = HttpSender(policy=AddressPolicy(allowed=("127.0.0.1",)))
    answer = sender.send(Request(url=f"{stage.base_url}/hooks/{name}", body=body, headers=headers))
    if answer.status >= 300:
        msg = f"the server answered {answer.status} to {name}: {answer.excerpt}"
        raise CanaryError(msg)


def _post_page(stage: Stage, page: bytes, venue: str, charset: str) -> None:
    message_id = f"msg_{secrets.token_hex(12)}"
    signed = signing.headers([stage.page_secret], message_id, stage.application.clock(), page)
    _post(
        stage,
        PAGE_REPORTER,
        page,
        {
            **signed,
            "Content-Type": f"text/html; charset={charset}",
            "X-Canary-Venue": venue,
            "X-Canary-Url": quote(f"http://{venue}/list?page=1", safe=":/?="),
        },
    )


def _post_sms(stage: Stage, sender: str, text: str, phone: str) -> None:
    """Post as the SmsForwarder app does: form, its default display, its sign."""
    at = stage.application.clock()
    stamp = str(int(at.timestamp() * 1000))
    local = at.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%d %H:%M:%S")
    display = f"{sender}\n{text}\nSIM1_中国移动_+86{phone}\nSubId：1\n{local}\nRack-Pixel"
    sign = hmac_base64(stage.sms_secret, f"{stamp}\n{stage.sms_secret}".encode())
    body = urlencode(
        {"from": sender, "content": display, "timestamp": stamp, "sign": quote(sign, safe="")}
    )
    _post(
        stage,
        SMS_REPORTER,
        body.encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )


def _wait_until_settled(application: Application) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with application.database.read() as session:
            if count_open_work(session) == 0:
                return
        time.sleep(0.1)
    msg = f"the posts were not worked through within {PATIENCE_SECONDS:.0f} s"
    raise CanaryError(msg)


def _tell_verdict(stage: Stage, leak: story.Leak) -> dict[str, Any]:
    application = stage.application
    with application.database.read() as session:
        rows = list_summaries(session)
        leading = max(rows, key=lambda row: (len(row["named"]), row["confidence"]), default=None)
        details = load_summary(session, leading["id"]) if leading else {}
    named = sorted({code for row in rows for code in row["named"]})
    url = f"{stage.base_url}/incidents/{leading['id']}" if leading else stage.base_url
    text = details.get("explanations", {}).get(application.settings.lang, {})
    stage.say("")
    stage.say(text.get("headline", "No source can be named."))
    for line in [*text.get("reasons", []), *text.get("exclusions", [])[:4]]:
        stage.say(f"  - {line}")
    stage.say("")
    stage.say(f"Leaking source: {', '.join(named) or 'not named'} (truth: {leak.source})")
    stage.say(f"Confidence:     {details.get('confidence', 0.0):.3f}, {details.get('verdict')}")
    return {
        "leaking_source": named[0] if len(named) == 1 else None,
        "named": named,
        "verdict": details.get("verdict", "unattributable"),
        "confidence": details.get("confidence", 0.0),
        "incident_url": url,
        "incidents": len(rows),
        "truth": leak.source,
    }


def _keep_serving(stage: Stage) -> None:
    stage.say(f"Dashboard:      {stage.base_url}/  (sign in as {USER} / {stage.password})")
    stage.say("Stop with Ctrl-C; the temporary database goes with it.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        stage.say("stopped")
