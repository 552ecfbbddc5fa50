"""AIL, mapped forms and records."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from webhooks.errors import PayloadError
from webhooks.inbound.registry import READERS
from webhooks.reports import Post

MakePost = Callable[..., Post]
ReadOne = Callable[..., Any]
CSV = (
    "time,account,system,number\r\n2026-03-18 14:29:58,u7,tracking,78901\r\n,u8,tracking,78902\r\n"
)


def test_ail_context_is_the_text(make_post: MakePost, read_one: ReadOne) -> None:
    body = {
        "version": 0,
        "type": "tracker:match",
        "tracker": {"uuid": "t1", "tracker": "78901"},
        "obj": {"type": "item", "id": "i1", "tags": ["a"], "url": "http://paste.example/1"},
        "matches": [["78901", "before 78901 李四 after"]],
    }
    report = read_one("ail", make_post(json_body=body))
    assert report.text == "before 78901 李四 after"
    assert report.url == "http://paste.example/1"


def test_map_reaches_into_nested_lists(make_post: MakePost) -> None:
    body = {"rows": [{"d": {"t": "78901"}, "n": 1}, {"d": {"t": "78902"}}]}
    reports = READERS["mapped"].read(
        make_post(json_body=body),
        {"items": "rows", "fields": {"text": "d.t"}, "kind": "document"},
    )
    assert [one.text for one in reports] == ["78901", "78902"]
    assert reports[0].kind == "document"
    assert reports[0].details == {"n": "1"}


def test_form_without_map_finds_usual_names(make_post: MakePost, read_one: ReadOne) -> None:
    form = {"content": "78901", "link": "http://x.example/", "title": "t", "data__x": "1"}
    report = read_one("mapped", make_post(form=form))
    assert (report.text, report.url) == ("78901", "http://x.example/")
    assert report.details == {"data__x": "1"}


def test_marked_up_text_can_be_reduced(make_post: MakePost, read_one: ReadOne) -> None:
    post = make_post(form={"text": "7890<b>1</b>"})
    assert read_one("mapped", post, html=True).text == "78901"


@pytest.mark.parametrize("options", [{"items": "none"}, {"fields": {"text": "no.where"}}])
def test_map_that_finds_nothing_is_refused(make_post: MakePost, options: Any) -> None:
    with pytest.raises(PayloadError):
        READERS["mapped"].read(make_post(json_body={"text": "x"}), options)


def test_signed_form_is_graded_signed(
    make_post: MakePost, sign_headers: Callable[..., dict[str, str]], secret: str, now: datetime
) -> None:
    post = make_post(b"text=x", headers=sign_headers(b"text=x"))
    assert READERS["mapped"].authenticate(post, [secret], now) == "signed"


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_csv_log_gives_report_per_record(make_post: MakePost, charset: str) -> None:
    reports = READERS["records"].read(make_post(CSV.replace("u7", "喆").encode(charset)), {})
    assert [(one.kind, one.text, one.sender) for one in reports] == [
        ("query_log", "78901", "喆"),
        ("query_log", "78902", "u8"),
    ]


def test_json_lines_give_lookups(make_post: MakePost) -> None:
    body = '{"number":"78901","ip":"198.51.100.7"}\n\n{"number":78902}\n'
    reports = READERS["records"].read(make_post(body), {"kind": "tracking_lookup"})
    assert [(one.kind, one.text) for one in reports] == [
        ("tracking_lookup", "78901"),
        ("tracking_lookup", "78902"),
    ]


@pytest.mark.parametrize(
    "body",
    ["", "number\n", "a,b\n1,2\n", '{"number":"1"}\n{', 'number\n"1', "number\n" + "1\n" * 5001],
)
def test_unreadable_records_are_refused(make_post: MakePost, body: str) -> None:
    with pytest.raises(PayloadError):
        READERS["records"].read(make_post(body), {})
