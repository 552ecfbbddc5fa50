"""Documents as editors write them: numbers in pieces, hidden and deleted text, tables."""

import zipfile
from pathlib import Path

import pytest

from canary.domain.identifiers import BaitValues
from canary.matching.documents import text_of
from canary.matching.paths import scan_paths
from canary.matching.register import MemoryRegister


def _word(*runs: str) -> str:
    return "<w:p>" + "".join(f"<w:r>{run}</w:r>\n" for run in runs) + "</w:p>"


OFFICE = {
    "runs": (_word("<w:t>193</w:t>", "<w:rPr><w:b/></w:rPr><w:t>40271865</w:t>"), "19340271865\n"),
    "hidden": (
        _word("<w:t>193</w:t>", "<w:rPr><w:vanish/></w:rPr><w:t>99</w:t>", "<w:t>4</w:t>"), "1934\n"
    ),
    "shown": (_word("<w:rPr><w:vanish w:val='0'/></w:rPr><w:t>1</w:t>"), "1\n"),
    "deleted": (_word("<w:t>19</w:t>", "<w:delText>77</w:delText>", "<w:t>34</w:t>"), "1934\n"),
    "entity": (_word('<w:t xml:space="preserve">a &amp; b </w:t>'), "a & b \n"),
    "row": (
        f"<w:tr><w:tc>{_word('<w:t>一</w:t>')}</w:tc><w:tc>{_word('<w:t>2</w:t>')}</w:tc></w:tr>",
        "一 \t2 \t\n",
    ),
    "slide": ("<a:p><a:r><a:t>193</a:t></a:r><a:r><a:t>4</a:t></a:r></a:p>", "1934\n"),
    "signs": (_word("<w:t>1</w:t><w:tab/><w:t>2</w:t><w:noBreakHyphen/>", "<w:br/>"), "1\t2-\n\n"),
    "cut": ("<w:p><w:r><w:t>193</w:t><w:t>4</w:", "193"),
}  # fmt: skip
OPEN = {
    "spans": ("<text:p>193<text:span a='b'>4027</text:span>1865</text:p>", "19340271865\n"),
    "signs": ("<text:p>1<text:s/>2<text:tab/>3<text:line-break/></text:p>", "1 2\t3\n\n"),
    "row": (
        "<t:table-row><t:table-cell><t:p>1</t:p></t:table-cell><t:table-cell/></t:table-row>",
        "1 \t\t\n",
    ),
    "deleted": (
        "<t:tracked-changes><t:p>77</t:p></t:tracked-changes><t:p>1</t:p>", "\n1\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OFFICE)
def test_office_text_reads_as_shown(name: str) -> None:
    xml, text = OFFICE[name]
    assert text_of(xml, is_open=False) == text


@pytest.mark.parametrize("name", OPEN)
def test_open_text_reads_as_shown(name: str) -> None:
    xml, text = OPEN[name]
    assert text_of(xml, is_open=True) == text


FILES = {
    "word/document.xml": ("[Content_Types].xml", OFFICE["runs"][0]),
    "ppt/slides/slide2.xml": (
        "[Content_Types].xml", "<a:p><a:t>193402</a:t><a:t>71865</a:t></a:p>"
    ),
    "content.xml": ("META-INF/manifest.xml", OPEN["spans"][0]),
}  # fmt: skip


@pytest.mark.parametrize("part", FILES)
def test_number_in_pieces_is_found(part: str, tmp_path: Path, first: BaitValues) -> None:
    index, xml = FILES[part]
    path = tmp_path / "thing"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(index, "<x/>")
        archive.writestr(part, f"<?xml version='1.0'?><a>{_word('<w:t>序</w:t>')}{xml}</a>")
    register = MemoryRegister()
    register.add(1, first)
    result, _ = scan_paths([path], register, processes=1)
    assert (result["path"], result["kind"]) == (f"{path}!{part}", "phone")
    assert (result["surface"], result["start"]) == ("19340271865", 0)
