"""The job that looks at watched pages: a slow site delays no other."""

import time
from threading import Event

from canary.jobs import Looking
from canary.storage.tables import Monitor
from tests.factories import Office

SLOW = [f"https://slow-{number}.example/" for number in range(5)]
QUICK = "https://quick.example/"


def states(office: Office) -> list[str]:
    return [row.state for row in office.rows(Monitor)]


def test_slow_sites_delay_no_other(office: Office) -> None:
    answers = Event()
    for number, url in enumerate([*SLOW, QUICK]):
        office.add_monitor(f"m{number}", url)
        office.site.put(url, "<p>78901234567801</p>")
    office.site.held = dict.fromkeys(SLOW, answers)
    looking = Looking(office.lookout())
    looking()
    try:
        for _ in range(3000):
            if states(office)[-1] == "changed":
                break
            time.sleep(0.02)
        assert states(office) == ["new"] * len(SLOW) + ["changed"]
    finally:
        answers.set()
        looking.stop()
    assert set(states(office)) == {"changed"}
