"""RSS and Atom: an entry is a report; nothing in a feed is fetched or grows."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from webhooks.errors import PayloadError
from webhooks.inbound.readers.feed import MOST_ENTRIES, FeedReader
from webhooks.reports import Post, Report, ReportKind

MakePost = Callable[..., Post]
RSS = """<?xml version="1.0" encoding="gb2312"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>单号网</title><link>https://x.example/</link>
<item><title>喆玥 出单号</title><guid isPermaLink="false">t-1</guid><link>https://x.example/1</link>
<description>&lt;p&gt;YT1&lt;b&gt;2&lt;/b&gt;&lt;/p&gt;</description>
<pubDate>Fri, 20 Nov 2026 14:30:00 +0800</pubDate></item>
<item><title>二</title><link>https://x.example/2</link>
<content:encoded><![CDATA[<i>整</i>]]></content:encoded><description>短</description></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>f</title><entry><id>urn:1</id>
<title>t</title><link rel="self" href="https://x.example/self"/><link href="https://x.example/a"/>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">a<b>c</b></div></content>
<author><name>卖家</name></author><updated>2026-11-20T06:30:00Z</updated></entry></feed>"""


@pytest.fixture
def read(make_post: MakePost) -> Callable[..., list[Report]]:
    def run(body: str | bytes, **options: str) -> list[Report]:
        raw = body.encode() if isinstance(body, str) else body
        return FeedReader().read(make_post(raw, content_type="application/rss+xml"), options)

    return run


def test_rss_is_read_in_its_charset(read: Callable[..., list[Report]]) -> None:
    """gb2312 on the label means GB18030: 喆 and 玥 are outside the smaller one."""
    first, second = read(RSS.encode("gb18030"), venue="单号网")
    assert first.kind is ReportKind.LISTING
    assert (first.title, first.message_id, first.url) == (
        "喆玥 出单号",
        "t-1",
        "https://x.example/1",
    )
    assert first.text == "喆玥 出单号\n<p>YT1<b>2</b></p>"
    assert first.claimed_at == datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
    assert (second.text, second.message_id) == ("二\n<i>整</i>", "https://x.example/2")


def test_charset_option_wins(read: Callable[..., list[Report]]) -> None:
    body = "<rss><item><title>喆玥</title></item></rss>".encode("big5hkscs", "ignore")
    assert read(body, charset="big5")[0].charset == "big5hkscs"


def test_atom_is_read(read: Callable[..., list[Report]]) -> None:
    (entry,) = read(ATOM)
    assert (entry.message_id, entry.url, entry.sender) == ("urn:1", "https://x.example/a", "卖家")
    assert "a<b>c</b>" in entry.text
    assert entry.claimed_at == datetime(2026, 11, 20, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html><p>验证码</p></html>",
        "{}",
        '<!DOCTYPE r [<!ENTITY a "x">]><rss><item><title>&a;</title></item></rss>',
        '<!doctype r SYSTEM "http://10.0.0.1/x"><rss></rss>',
        " " * 5000 + "<rss></rss>",
    ],
)
def test_what_is_no_feed_is_refused(read: Callable[..., list[Report]], body: str) -> None:
    with pytest.raises(PayloadError):
        read(body)


@pytest.mark.parametrize(
    ("body", "entries"),
    [
        ("<rss></rss>", 0),
        ("<rss><item><title>a", 1),
        ("<rss><item>&unknown;</item></rss>", 1),
        ("<rss><item></item><!-- x --><?y z?></rss>", 1),
        ("<rss>" + "<item/>" * (MOST_ENTRIES + 5) + "</rss>", MOST_ENTRIES),
    ],
)
def test_broken_feeds_give_what_they_hold(
    read: Callable[..., list[Report]], body: str, entries: int
) -> None:
    assert len(read(body)) == entries


@pytest.mark.parametrize("body", ["<rss>" + "<a>" * 50_000, "<rss><item><title>" + "A" * 3_000_000])
def test_deep_and_long_feeds_end(read: Callable[..., list[Report]], body: str) -> None:
    assert len(read(body)) <= 1
