"""Looking at watched pages: what is new, what is not, how a monitor does."""

from datetime import timedelta
from typing import Any

import pytest

from canary.domain.errors import Conflict, Unavailable
from canary.domain.monitors import MonitorState
from canary.services.alerts.watching import tell_silent
from canary.services.claims import release_all
from canary.services.monitors.checking import (
    check_due,
    check_now,
    list_due,
    try_look,
)
from canary.services.monitors.fetching import Fetched, Welcome
from canary.services.monitors.keeping import switch_monitor
from canary.storage.tables import Alert, InboxPost, Monitor, MonitorCheck, Reporter, Sighting
from tests.factories import Office
from webhooks.errors import DeliveryError
from webhooks.reports import Report

URL = "https://danhao.example/list"
ROW = "<tr><td>{}</td><td>林晚舟</td></tr>"
FULL = "".join(ROW.format(f"7890123456{number:04d}") for number in range(30))


def page(*numbers: str) -> str:
    rows = "".join(ROW.format(number) for number in numbers)
    return f"<html><table><tr><th>单号</th><th>姓名</th></tr>{rows}</table></html>"


@pytest.fixture
def watched(office: Office) -> Office:
    office.add_monitor()
    office.site.put(URL, page("78901234567801", "78901234567802"))
    return office


def look(office: Office) -> Any:
    """Look when the next look is due."""
    office.clock.move(timedelta(hours=7))
    return check_now(office.lookout(), "market")


def monitor(office: Office) -> Any:
    return office.only(Monitor)


def reports(office: Office) -> list[Report]:
    from canary.services.detection.triage import open_reports

    return [one for post in office.posts() for one in open_reports(office.vault, post)]


def test_first_look_takes_everything(watched: Office) -> None:
    assert check_now(watched.lookout(), "market").state is MonitorState.CHANGED
    (found,) = reports(watched)
    assert "78901234567801" in found.text
    assert "78901234567802" in found.text
    assert found.details["basis"] == "a public page"
    assert watched.only(InboxPost).grade == "fetched"


def test_bytes_are_kept_as_received(watched: Office) -> None:
    check_now(watched.lookout(), "market")
    post = watched.only(InboxPost)
    body = watched.vault.unseal(f"inbox.sealed_body|{post.ref}", post.sealed_body)
    assert body.decode() == page("78901234567801", "78901234567802")


def test_only_added_rows_are_read(watched: Office) -> None:
    """A number that still stands there is no second leak, one that vanished is none."""
    check_now(watched.lookout(), "market")
    watched.site.put(URL, page("78901234567802", "78901234567803"))
    sight = look(watched)
    assert (sight.state, sight.added, sight.removed) == (MonitorState.CHANGED, 1, 1)
    text = reports(watched)[-1].text
    assert "78901234567803" in text
    assert "单号" in text
    assert "78901234567802" not in text
    assert "78901234567801" not in text


def test_vanished_rows_are_no_sighting(watched: Office) -> None:
    check_now(watched.lookout(), "market")
    watched.site.put(URL, page("78901234567802"))
    assert look(watched).removed == 1
    watched.triage()
    assert (watched.count(InboxPost), watched.count(Sighting)) == (2, 1)


def test_row_that_comes_back_is_news(watched: Office) -> None:
    for numbers in (("78901234567801", "78901234567802"), ("78901234567802",)):
        watched.site.put(URL, page(*numbers))
        look(watched)
    watched.site.put(URL, page("78901234567801", "78901234567802"))
    assert look(watched).added == 1
    assert "78901234567801" in reports(watched)[-1].text


@pytest.mark.parametrize(
    "noise", ["<p>12:04:59</p>", "<p>2026-11-21</p>", "<p>17 online</p>", "<script>f(1)</script>"]
)
def test_clocks_and_counters_are_no_news(watched: Office, noise: str) -> None:
    before = noise.translate(str.maketrans("1234567890", "2345678901"))
    watched.site.put(URL, page("78901234567801") + before)
    check_now(watched.lookout(), "market")
    watched.site.put(URL, page("78901234567801") + noise)
    assert look(watched).state is MonitorState.FINE
    assert watched.count(InboxPost) == 1


def test_unchanged_page_is_a_sign_of_life_only(watched: Office) -> None:
    check_now(watched.lookout(), "market")
    assert look(watched).state is MonitorState.FINE
    assert watched.count(InboxPost) == 1
    assert watched.only(Reporter).last_heartbeat_at == watched.clock()


def test_validators_are_sent_and_304_is_fine(watched: Office) -> None:
    watched.site.put(URL, page("78901234567801"), etag='"v1"', last_modified="Fri, 20 Nov 2026")
    check_now(watched.lookout(), "market")
    watched.site.put(URL, b"", 304)
    assert look(watched).state is MonitorState.FINE
    assert watched.site.asked[-1][1] == {
        "If-None-Match": '"v1"',
        "If-Modified-Since": "Fri, 20 Nov 2026",
    }
    assert monitor(watched).etag == '"v1"'


def test_own_headers_are_sent(office: Office) -> None:
    office.add_monitor(headers={"Cookie": "session=1"})
    office.site.put(URL, page("78901234567801"))
    check_now(office.lookout(), "market")
    assert office.site.asked == [(URL, {"Cookie": "session=1"})]
    assert b"session=1" not in monitor(office).sealed_address


@pytest.mark.parametrize(
    ("selector", "rows"),
    [("table.list", 2), (".card", 2), ("table.list tr", 2)],
)
def test_part_is_selected(office: Office, selector: str, rows: int) -> None:
    office.add_monitor(selector=selector)
    cards = "<div class=card><b>YT1</b><p>张三</p></div><div class=card>李四</div>"
    office.site.put(
        URL,
        f"<p>news 4711</p><table class=list>{FULL[: 2 * len(ROW.format('0' * 14))]}</table>{cards}",
    )
    assert check_now(office.lookout(), "market").added == rows
    assert "4711" not in reports(office)[0].text


def test_charset_can_be_told(office: Office) -> None:
    office.add_monitor(charset="gb18030")
    office.site.put(URL, "<p>喆玥 78901234567801</p>".encode("gb18030"))
    check_now(office.lookout(), "market")
    assert "喆玥" in reports(office)[0].text


FEED = """<rss version="2.0"><channel>{}</channel></rss>"""
ITEM = "<item><guid>{0}</guid><title>单号 {0}</title><link>https://x.example/{0}</link></item>"


def test_each_new_entry_is_a_report(office: Office) -> None:
    office.add_monitor(kind="feed")
    office.site.put(URL, FEED.format(ITEM.format("A1") + ITEM.format("A2")))
    check_now(office.lookout(), "market")
    office.site.put(URL, FEED.format(ITEM.format("A2") + ITEM.format("A3")))
    assert look(office).added == 1
    assert [one.message_id for one in reports(office)] == ["A1", "A2", "A3"]
    assert office.triage() == 2
    assert office.count(Sighting) == 3


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (403, "", MonitorState.BLOCKED),
        (429, "", MonitorState.BLOCKED),
        (500, "", MonitorState.UNREACHABLE),
        (404, "", MonitorState.UNREACHABLE),
        (200, "<p>请完成安全验证</p>", MonitorState.BLOCKED),
        (200, "<p>ok</p>", MonitorState.BLOCKED),
        (200, "<p>另一个页面</p>" * 900, MonitorState.LOST),
        (200, "<table class=list></table>" + " " * 3000, MonitorState.LOST),
    ],
)
def test_trouble_is_told_apart(office: Office, status: int, body: str, state: MonitorState) -> None:
    office.add_monitor(selector="table.list")
    office.site.put(URL, f"<table class=list>{FULL}</table>")
    check_now(office.lookout(), "market")
    office.site.put(URL, body, status)
    sight = look(office)
    assert sight.state is state
    assert sight.problem
    assert (monitor(office).failures, office.count(InboxPost)) == (1, 1)
    # What stood there is still known when the page comes back.
    office.site.put(URL, f"<table class=list>{FULL}</table>", 200)
    assert look(office).added == 0


def test_short_strange_page_is_blocked_without_a_selector(office: Office) -> None:
    office.add_monitor()
    office.site.put(URL, f"<table>{FULL}</table>")
    check_now(office.lookout(), "market")
    office.site.put(URL, "<p>please wait</p>")
    assert look(office).state is MonitorState.BLOCKED


def test_few_new_numbers_in_place_of_many_are_read(office: Office) -> None:
    """A seller who clears his page and puts three new rows there is not blocking us."""
    office.add_monitor()
    office.site.put(URL, f"<table>{FULL}</table>")
    check_now(office.lookout(), "market")
    office.site.put(URL, page("78909999999901"))
    assert look(office).state is MonitorState.CHANGED


def test_query_in_another_charset_is_no_trouble(office: Office) -> None:
    url = "https://danhao.example/list?q=%B5%A5%BA%C5&title=x"
    office.add_monitor(url=url)
    office.site.put(url, page("78901234567801"), x_canary_title="ours")
    assert check_now(office.lookout(), "market").state is MonitorState.CHANGED
    (found,) = reports(office)
    assert (found.url, found.title) == ("https://danhao.example/list", "")


def test_robots_are_obeyed_unless_overridden(watched: Office) -> None:
    watched.site.welcome = Welcome(is_given=False)
    assert check_now(watched.lookout(), "market").state is MonitorState.REFUSED
    assert watched.site.asked == []
    watched.change(Monitor, monitor(watched).id, robots_override="the police asked us")
    assert look(watched).state is MonitorState.CHANGED


def test_redirect_is_asked_of_robots_too(watched: Office) -> None:
    """The first address may be open to robots while the one it leads to is not."""
    moved = f"{URL}/members"
    watched.site.pages[URL] = Fetched(url=moved, status=200, body=page("78901234567801").encode())
    watched.site.unwelcome.add(moved)
    assert check_now(watched.lookout(), "market").state is MonitorState.REFUSED
    assert watched.posts() == []
    watched.change(Monitor, monitor(watched).id, robots_override="the police asked us")
    assert look(watched).state is MonitorState.CHANGED


def test_unaskable_robots_mean_no_look(watched: Office) -> None:
    watched.site.welcome = DeliveryError("no connection")
    assert check_now(watched.lookout(), "market").state is MonitorState.UNREACHABLE
    assert watched.site.asked == []


def test_waits_grow_and_orders_are_kept(watched: Office) -> None:
    watched.site.pages[URL] = DeliveryError("no connection")
    waits = []
    for _ in range(3):
        look(watched)
        waits.append(monitor(watched).due_at - watched.clock())
    assert waits[0] < waits[1] < waits[2] < timedelta(hours=2)
    watched.site.put(URL, "", 429, retry_after="30000")
    look(watched)
    assert monitor(watched).due_at - watched.clock() == timedelta(seconds=30_000)


def test_silence_is_told_with_its_reason(watched: Office) -> None:
    watched.add_endpoint()
    check_now(watched.lookout(), "market")
    watched.site.put(URL, "", 403)
    look(watched)
    assert tell_silent(watched.database, watched.clock()) == 1
    lines = watched.only(Alert).data["by_lang"]["en"]["lines"]
    assert "The last look: it answered 403" in lines


def test_due_monitors_are_listed_and_looked_at(watched: Office) -> None:
    with watched.database.read() as session:
        (due,) = list_due(session, watched.clock())
    assert check_due(watched.lookout(), due.id) is not None
    assert check_due(watched.lookout(), due.id) is None
    with watched.database.read() as session:
        assert list_due(session, watched.clock()) == []


def test_paused_monitor_is_not_due(watched: Office) -> None:
    with watched.database.write() as session:
        switch_monitor(session, "market", active=False, actor="t", now=watched.clock())
    with watched.database.read() as session:
        assert list_due(session, watched.clock()) == []


def test_one_look_at_a_host_at_a_time(watched: Office) -> None:
    watched.add_monitor("second", "https://DANHAO.example/other")
    watched.add_monitor("third", "https://elsewhere.example/")
    refused: list[str] = []

    def others() -> None:
        watched.site.while_fetching = lambda: None
        with pytest.raises(Conflict):
            check_now(watched.lookout("other"), "second")
        refused.append("second")
        watched.site.put("https://elsewhere.example/", "<p>x</p>" * 9)
        check_now(watched.lookout("other"), "third")

    watched.site.while_fetching = others
    check_now(watched.lookout(), "market")
    assert refused == ["second"]


def test_asked_for_pause_is_kept(watched: Office) -> None:
    watched.site.welcome = Welcome(pause=60)
    check_now(watched.lookout(), "market")
    with pytest.raises(Conflict):
        check_now(watched.lookout(), "market")
    watched.clock.move(timedelta(seconds=60))
    check_now(watched.lookout(), "market")


def test_crash_after_taking_in_takes_nothing_twice(watched: Office) -> None:
    """Between the inbox's commit and the monitor's, the look is repeated and its key is taken."""
    before = monitor(watched)
    check_now(watched.lookout(), "market")
    watched.change(
        Monitor, before.id, changes=0, row_keys=b"", content_key=None, lease_owner="dead"
    )
    look(watched)
    assert watched.count(InboxPost) == 1


def test_other_owner_writes_nothing_down(watched: Office) -> None:
    def steal() -> None:
        watched.change(Monitor, monitor(watched).id, lease_owner="another")

    watched.site.while_fetching = steal
    check_now(watched.lookout(), "market")
    assert monitor(watched).state == "new"


def test_restart_gives_claims_back(watched: Office) -> None:
    later = watched.clock() + timedelta(minutes=3)
    watched.change(Monitor, monitor(watched).id, lease_owner="dead", lease_until=later)
    with watched.database.write() as session:
        release_all(session)
    check_now(watched.lookout(), "market")


def test_full_inbox_is_no_fault_of_the_site(
    watched: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("canary.services.inbox.intake.WAITING_LIMIT", 0)
    with pytest.raises(Unavailable):
        check_now(watched.lookout(), "market")
    assert (monitor(watched).failures, monitor(watched).lease_owner) == (0, None)


def test_dry_run_files_and_remembers_nothing(watched: Office) -> None:
    before = watched.count_all()
    sight = try_look(watched.lookout(), "market")
    assert "78901234567801" in sight.reports[0].text
    assert watched.count_all() == before
    assert monitor(watched).last_checked_at is None


def test_last_looks_are_kept(watched: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.services.monitors.checking.CHECKS_KEPT", 2)
    for _ in range(4):
        look(watched)
    assert [check.id for check in watched.rows(MonitorCheck)] == [3, 4]


@pytest.mark.parametrize("tip", [True, False])
def test_listing_names_the_source(office: Office, tip: bool) -> None:
    """From the page to the incident, which keeps that an address came from a tip."""
    from canary.storage.tables import Incident

    office.plant(phones=20, per_source=10)
    office.add_monitor(from_tip=tip)
    numbers = [value.number or "" for value in office.values_at("OUT-A1")]
    office.site.put(URL, page(*numbers))
    check_now(office.lookout(), "market")
    office.work()
    incident = office.only(Incident)
    sighting = office.only(Sighting)
    assert (sighting.channel_class, sighting.venue) == (
        "own_tip" if tip else "own",
        "danhao.example",
    )
    assert sighting.basis == "a public page"
    assert incident.named == ["OUT-A1"]
