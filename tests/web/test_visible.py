"""Characters that hide or reorder are written out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.web.agents import tell_agent
from canary.web.rendering import format_odds
from canary.web.visible import make_visible, shorten


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("abc\u202egpj.exe", "abc⟦U+202E⟧gpj.exe"),
        ("YT\u200b123", "YT⟦U+200B⟧123"),
        ("one\r\ntwo\r", "one\ntwo"),
        ("a\rb", "a⟦U+000D⟧b"),
        ("a\x00b", "a⟦U+0000⟧b"),
        ("\x1b[31mred", "⟦U+001B⟧[31mred"),
        ("\ufeff林晚舟", "⟦U+FEFF⟧林晚舟"),
        ("x\u3164y", "x⟦U+3164⟧y"),
        ("\U000e0041", "⟦U+E0041⟧"),
        ("line\nnext\tcell", "line\nnext\tcell"),
        ("林晚舟 ①②③ 🦜 ＹＴ", "林晚舟 ①②③ 🦜 ＹＴ"),
    ],
)
def test_hidden_characters_are_written_out(text, shown):
    assert make_visible(text) == shown


def test_stacked_marks_are_broken_up():
    assert make_visible("e" + "\u0301" * 50).count("\u0301") == 3


def test_long_text_is_cut_for_one_line():
    assert shorten("字" * 10_000, 60) == "字" * 60 + "…"
    assert shorten("two\nlines", 60) == "two lines"


@given(st.text(max_size=200))
def test_visible_text_is_stable(text):
    once = make_visible(text)
    assert make_visible(once) == once


@given(st.text(max_size=400))
def test_one_line_is_one_line(text):
    assert "\n" not in shorten(text)


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko Firefox/145.0",
            "Firefox · Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0 Safari/537.36 Edg/142.0", "Edge · Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19 Safari/604.1",
            "Safari · iPhone",
        ),
        ("<b>bot\u202e</b>", "<b>bot⟦U+202E⟧</b>"),
        ("", ""),
    ],
)
def test_browser_is_told_in_two_words(agent, told):
    assert tell_agent(agent) == told


@pytest.mark.parametrize(
    ("chance", "said"),
    [
        (0.7, "more likely than not"),
        (0.25, "1 in 4"),
        (3.1e-7, "1 in 3\u202f200\u202f000"),
        (8e-13, "1 in 10¹²"),
        (1e-30, "1 in 10³⁰"),
        (0.0, "—"),
    ],
)
def test_chance_is_told_as_odds(app, chance, said):
    with app.test_request_context("/?lang=en"):
        assert format_odds(chance) == said
