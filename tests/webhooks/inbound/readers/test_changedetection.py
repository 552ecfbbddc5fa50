"""changedetection.io and urlwatch: what was removed stays apart."""

from collections.abc import Callable
from typing import Any

import pytest

from webhooks.errors import PayloadError
from webhooks.inbound.registry import READERS
from webhooks.reports import Post

MakePost = Callable[..., Post]
ReadOne = Callable[..., Any]
COLOURS = (
    '<span style="background:#ffcecb" role="deletion" title="Removed">78901 李四</span><br>'
    '<span style="background:#dafbe1" role="insertion">7890<b>2</b>&nbsp;喆玥</span><br>\r\n'
    "unchanged &amp; plain"
)
MARKS = "(removed) 78901 李四\n(added) 78902 喆玥\n(changed) old\n(into) new\nunchanged"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (COLOURS, "78902 喆玥"),
        (COLOURS.replace("<", "&lt;").replace(">", "&gt;").replace("&nbsp;", " "), "78902"),
        (MARKS, "78902 喆玥"),
    ],
)
def test_removed_numbers_are_no_news(
    make_post: MakePost, read_one: ReadOne, message: str, text: str
) -> None:
    """A number that just vanished must not look like a new leak."""
    body = {"version": "1.0", "title": "changed", "message": message, "type": "info"}
    report = read_one("changedetection", make_post(json_body=body))
    if "&lt;" not in message:
        assert text in report.text
        assert "78901" not in report.text
        assert "78901" in report.removed_text
    assert "unchanged" in report.text


def test_recommended_template_is_read(make_post: MakePost, read_one: ReadOne) -> None:
    body = {
        "watch_url": "http://resale.example/1",
        "watch_uuid": "u1",
        "watch_title": "resale",
        "diff_added": "78902 喆玥",
        "diff_removed": "78901",
        "change_datetime": "2026-03-18 14:29:58",
    }
    report = read_one("changedetection", make_post(json_body=body))
    assert (report.text, report.removed_text) == ("78902 喆玥", "78901")
    assert (report.url, report.venue) == ("http://resale.example/1", "resale")


def test_untyped_body_is_read_as_text(make_post: MakePost, read_one: ReadOne) -> None:
    report = read_one("changedetection", make_post(MARKS.encode()))
    assert report.text == "78902 喆玥\nnew\nunchanged"
    assert report.removed_text == "78901 李四\nold"


@pytest.mark.parametrize("body", [{}, {"message": ""}, {"message": "<br>"}, {"message": ["x"]}])
def test_posts_without_text_are_refused(make_post: MakePost, body: Any) -> None:
    with pytest.raises(PayloadError):
        READERS["changedetection"].read(make_post(json_body=body), {})


@pytest.mark.parametrize(
    "broken",
    [
        "<span ",
        "<",
        "<!--",
        "<![",
        "</td>",
        "<td>",
        "&",
    ],
)
def test_broken_markup_is_survived(make_post: MakePost, broken: str) -> None:
    post = make_post(json_body={"message": f"<br>单号{broken * 100_000}"})
    (report,) = READERS["changedetection"].read(post, {})
    assert "单号" in report.text


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("<div>7890<!-- 0 -->1</div>", "78901"),
        ("<p>78901<!-- never closed 78902", "78901 never closed 78902"),
        ("<p>a <!-- b <!-- c --> d", "a  d"),
        ("<del>78901</del><ins>78902</ins>", "78902"),
        ('<span role="deletion">78901<span>x</span></span></span>78902', "78902"),
        ("<p>1 < 2 & 3 > 2</p>", "1 < 2 & 3 > 2"),
    ],
)
def test_markup_is_reduced(make_post: MakePost, read_one: ReadOne, message: str, text: str) -> None:
    report = read_one("changedetection", make_post(json_body={"message": message}))
    assert " ".join(report.text.split()) == " ".join(text.split())


def test_unified_diff_keeps_removed_apart(make_post: MakePost, read_one: ReadOne) -> None:
    diff = (
        "CHANGED: resale ( http://resale.example/1 )\n"
        "--- @\told\n+++ @\tnew\n@@ -1,2 +1,2 @@\n-78901 李四\n+78902 喆玥\n unchanged"
    )
    report = read_one("urlwatch", make_post(json_body={"text": diff}))
    assert report.url == "http://resale.example/1"
    assert report.removed_text == "78901 李四"
    assert "78902 喆玥" in report.text
    assert "78901" not in report.text
