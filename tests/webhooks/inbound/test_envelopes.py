"""Envelopes: what a forwarder adds comes off, what was written stays."""

from hypothesis import given
from hypothesis import strategies as st

from webhooks.inbound.envelopes import open_display, open_labelled, receiver_in

LINES = st.lists(st.text("单号abc 0123:：-+#SIMSubId_", max_size=20), min_size=1, max_size=4)
OWN = "+8613900000000"
TAIL = f"\nSIM1_中国移动_{OWN}\nSubId：1\n2026-03-18 14:29:58\nXiaomi"


@given(LINES)
def test_any_display_gives_its_text_back(lines: list[str]) -> None:
    text = "\n".join(lines)
    envelope = open_display(f"10690000\n{text}{TAIL}", {"sender": "10690000"})
    assert envelope.text == text
    assert envelope.receiver == OWN


@given(LINES)
def test_nothing_is_lost_in_opening(lines: list[str]) -> None:
    """Every line that is not blank is either text or kept as envelope."""
    text = "\n".join(lines)
    for envelope in (open_display(text, {}), open_labelled(text)):
        kept = envelope.text.split("\n") + envelope.lines
        wanted = {line.strip() for line in lines if line.strip()}
        assert wanted <= {line.strip() for line in kept}


@given(LINES)
def test_opening_twice_changes_nothing(lines: list[str]) -> None:
    once = open_labelled("\n".join(lines)).text
    assert open_labelled(once).text in (once, once.rstrip("\n"))


def test_only_phone_numbers_are_receivers() -> None:
    assert receiver_in("中国移动_+8613900000000") == OWN
    assert receiver_in("中国移动 139 0000 0000") == "139 0000 0000"
    assert receiver_in("中国移动") == ""
    assert receiver_in("卡1") == ""
