"""Pages cut into rows: by the grammar that finds records, whatever a page is made of."""

import pytest

from canary.matching.listing import (
    AROUND,
    ListingRow,
    cut_rows,
    hidden_on,
    join_rows,
    one_row,
    pick_fresh,
)
from canary.matching.markup import CELL
from canary.matching.selecting import is_selector, select_rows

NONE: frozenset[str] = frozenset()


def seen(text: str, hidden: frozenset[str] = NONE) -> list[str]:
    return [row.seen.replace(CELL, "|").strip("|") for row in cut_rows(text, hidden)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("一 1\n\n二 2\r\n三", ["一1", "二2", "三"]),
        ("<tr><td>1</td><td>a b</td></tr><tr><td>2</td></tr>", ["1||ab", "2"]),
        ("<tr><td><p>1</p><div>a</div></td><td>2<br>3", ["1||a|||2|3"]),
        ("<ul><li>1 <b>2</b><li>3</ul>4", ["12", "3", "4"]),
        ("<p>1<p>2<div>3<div>4</div>5</div>", ["1", "2", "3", "4", "5"]),
        ("<body>1<br>2<br/>3", ["1", "2", "3"]),
        ("<body>1\n2<pre>3\n4</pre>5\n6", ["12", "3", "4", "56"]),
        ("<p>1<script>f(2)</script><style>x</style><!-- 3 -->4</p>", ["14"]),
        ("<p>1<i style='display:none'>99</i>2</p>", ["12"]),
        ("<p>&#49;&nbsp;２ Ａ</p>", ["12a"]),
        ("<p></p><div> </div><td></td>", []),
        ("a < b <c", ["a<b<c"]),
        ("", []),
    ],
)
def test_rows_are_cut(text: str, rows: list[str]) -> None:
    assert seen(text) == rows


def test_classes_of_the_page_stay_hidden() -> None:
    page = "<style>.d{display:none}</style><p>12<i class=d>99</i>34</p><p>5</p>"
    hidden = hidden_on(page)
    rows = cut_rows(page, hidden)
    assert [row.seen for row in rows] == ["1234", "5"]
    joined = join_rows(rows, hidden)
    assert [row.seen for row in cut_rows(joined, hidden_on(joined))] == ["1234", "5"]


def rows_of(*texts: str) -> list[ListingRow]:
    return [one_row(text, NONE) for text in texts]


def test_known_rows_are_left_out() -> None:
    rows = rows_of("7890123456", "7890123457", "7890123458")
    assert pick_fresh(rows, [True, False, True]) == rows[1:2]
    assert pick_fresh(rows, [True, True, True]) == []


def test_poor_neighbours_and_headings_explain_a_new_row() -> None:
    """On pages of blocks the name beside a new number may have been there before."""
    far = ["浙江省"] * (AROUND + 1)
    rows = rows_of("<th>单号</th>", *far, "7890123456", "张三", "7890123457")
    known = [True] * len(rows)
    known[len(far) + 1] = False
    kept = [row.seen.strip(CELL) for row in pick_fresh(rows, known)]
    assert kept == ["单号", *far[:AROUND], "7890123456", "张三"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("12:01:33", "12:05:47", True),
        ("更新于 2026-11-20 12:01", "更新于 2026-11-21 13:02", True),
        ("浏览 123 次", "浏览 124 次", True),
        ("张三", "李四", False),
        ("7890123456", "7890123457", False),
        ("138****1234", "138****1235", False),
        ("2026-11-20 7890123456", "2026-11-21 7890123456", True),
    ],
)
def test_clocks_and_counters_make_no_row_new(one: str, other: str, same: bool) -> None:
    first, second = rows_of(one, other)
    assert (first.key == second.key) is same


@pytest.mark.parametrize(
    ("selector", "rows"),
    [
        ("table", ["1", "2"]),
        ("tr", ["1", "2"]),
        (".card", ["7|a", "8|b"]),
        ("#one", ["7", "a"]),
        ("td, .card", ["1", "2", "7|a", "8|b"]),
    ],
)
def test_part_is_selected(selector: str, rows: list[str]) -> None:
    page = (
        "<p>9</p><table><tr><td>1<tr><td>2</table>"
        "<div class=card id=one><p>7</p><p>a</p></div><div class=card>8<br>b</div>"
    )
    found = select_rows(page, selector, NONE)
    assert found is not None
    assert [row.seen.replace(CELL, "|").strip("|").replace("||", "|") for row in found] == rows


@pytest.mark.parametrize("page", ["<p>1</p>", "", "\x00\ud800", "<" * 99, '<?xml encoding="x"?>'])
def test_missing_part_is_none(page: str) -> None:
    assert select_rows(page, ".card", NONE) is None


@pytest.mark.parametrize(
    ("text", "good"),
    [(".a > b", True), ("tr:nth-child(2)", True), ("a[", False), ("", False), ("a" * 201, False)],
)
def test_selectors_are_known(text: str, good: bool) -> None:
    assert is_selector(text) is good


@pytest.mark.parametrize(
    "piece", ["<div>", "<li>", "<", "<!--", "<td ", "<i hidden>", "<pre>\n", "</tr>", "1\n"]
)
def test_broken_pages_are_cut_to_their_end(piece: str) -> None:
    text = piece * 5000 + "<p>78901234567801</p>"
    assert any("78901234567801" in row.source for row in cut_rows(text, hidden_on(text)))
