"""Texts are cut into excerpts that show every match and nothing more than needed."""

from hypothesis import given
from hypothesis import strategies as st

from canary.services.detection.excerpts import EXCERPTS, Mark, Span, build_evidence, mask_surface

MARK = Mark(bait_ref="B-1", kind="number", form="exact", level="exact", rule="r", chance=1e-9)


def span(start, end, record=None):
    left, right = record or (start, end)
    return Span(start=start, end=end, record_start=left, record_end=right, mark=MARK)


def joined(excerpt):
    return "".join(segment.text for segment in excerpt.segments)


def marked(evidence):
    return [
        segment.text
        for excerpt in evidence.excerpts
        for segment in excerpt.segments
        if segment.marks
    ]


def test_short_text_is_shown_whole():
    text = "卖单号 YT123 林晚舟\n量大从优"
    evidence = build_evidence(text, [span(4, 9)])
    assert joined(evidence.excerpts[0]) == text
    assert marked(evidence) == ["YT123"]
    assert evidence.more_lines == 0


def test_long_text_is_shown_around_matches():
    lines = [f"row {number:04d} nothing here" for number in range(500)]
    lines[300] = "row 0300 YT123 here"
    text = "\n".join(lines)
    start = text.index("YT123")
    record = (text.index(lines[300]), text.index(lines[300]) + len(lines[300]))
    evidence = build_evidence(text, [span(start, start + 5, record)])
    assert joined(evidence.excerpts[0]) == lines[300]
    assert evidence.excerpts[0].line == 301
    assert evidence.more_lines == 499


def test_no_more_excerpts_than_a_reader_takes():
    text = "\n".join("YT123 " + "x" * 50 for _ in range(200))
    spans = [span(number * 57, number * 57 + 5) for number in range(0, 200, 5)]
    assert len(build_evidence(text, spans).excerpts) <= EXCERPTS


def test_one_endless_line_is_cut_around_the_match():
    text = "a" * 50_000 + "YT123" + "b" * 50_000
    evidence = build_evidence(text, [span(50_000, 50_005, (0, len(text)))])
    excerpt = evidence.excerpts[0]
    assert len(joined(excerpt)) < 1000
    assert excerpt.is_cut_before
    assert excerpt.is_cut_after


def test_two_baits_share_one_mark():
    evidence = build_evidence("19340271865", [span(0, 11), span(0, 11)])
    assert len(evidence.excerpts[0].segments[0].marks) == 2


def test_tags_are_set_apart():
    evidence = build_evidence("<td>YT123</td> <td>1 < 2</td>", [span(4, 9)])
    kinds = [(segment.text, segment.is_markup) for segment in evidence.excerpts[0].segments]
    assert [text for text, is_markup in kinds if is_markup] == ["<td>", "</td> <td>", "</td>"]
    assert [text for text, is_markup in kinds if not is_markup] == ["YT123", "1 < 2"]


def test_masked_evidence_shows_only_masks():
    text = "王小明 13912345678 YT9012345678901 西湖区"
    evidence = build_evidence(text, [span(16, 31)], masked=True)
    shown = joined(evidence.excerpts[0])
    assert "YT9****01" in shown
    assert not any(part in shown for part in ("王小明", "13912345678", "西湖", "90123456"))


def test_empty_text_has_no_excerpt():
    assert build_evidence("", []).excerpts == ()


@given(
    st.text(alphabet="ab<>/ \n🦜\u202e", max_size=3000),
    st.lists(st.tuples(st.integers(-5, 3100), st.integers(-5, 3100)), max_size=12),
)
def test_any_spans_keep_the_text_in_order(text, pairs):
    evidence = build_evidence(text, [span(start, end, (end, start)) for start, end in pairs])
    at = 0
    for excerpt in evidence.excerpts:
        found = text.find(joined(excerpt), at)
        assert found >= 0
        at = found


@given(st.text(min_size=6, max_size=40), st.sampled_from(["name", "number", "phone"]))
def test_masks_hide_at_least_half(surface, kind):
    assert sum(len(part) for part in mask_surface(surface, kind).split("*")) <= 5
