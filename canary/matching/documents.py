"""Documents and slides (DOCX, PPTX, ODT, ODS, ODP) as a reader sees them, line by line.

Editors cut one number into several pieces of one paragraph; here they stand together again.
What is hidden or was deleted stays out. A row of a table is one line, its cells parted by tabs.
"""

import html
import re
from collections.abc import Collection

_OPEN = re.compile(r"content\.xml")
_OFFICE = re.compile(
    r"word/(?:document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml"
    r"|ppt/(?:slides/slide|notesSlides/notesSlide)\d+\.xml"
)
_TAG = re.compile(r"<(/?)(?:[\w-]+:)?([\w-]+)([^<>]*)>")
_OFF = re.compile(r"val=[\"'](?:0|false|none|off)[\"']")
_SINGLE = {
    "tab": "\t", "br": "\n", "cr": "\n", "line-break": "\n", "s": " ", "noBreakHyphen": "-",
}  # fmt: skip
_CELLS, _ROWS = frozenset({"tc", "table-cell"}), frozenset({"tr", "table-row"})
_PARAGRAPHS = frozenset({"p", "h"})
_UNSEEN = "tracked-changes"


def parts_of(names: Collection[str]) -> list[str]:
    """Return which members of an archive hold the text of a document; none of another archive."""
    if "[Content_Types].xml" in names:
        return [name for name in names if _OFFICE.fullmatch(name)]
    if "META-INF/manifest.xml" in names:
        return [name for name in names if _OPEN.fullmatch(name)]
    return []


def text_of(xml: str, *, is_open: bool) -> str:
    """Return the text of one part; `is_open` where it is an OpenDocument."""
    shown = _PARAGRAPHS if is_open else frozenset({"t"})
    out: list[str] = []
    inside = cells = unseen = end = 0
    is_hidden = False
    for tag in _TAG.finditer(xml):
        if inside > 0 and unseen <= 0 and not is_hidden:
            out.append(html.unescape(xml[end : tag.start()].replace("\n", " ")))
        end = tag.end()
        is_end, name, is_alone = bool(tag[1]), tag[2], tag[3].endswith("/")
        step = 0 if is_alone else -1 if is_end else 1
        inside += step if name in shown else 0
        unseen += step if name == _UNSEEN else 0
        cells += step if name in _CELLS else 0
        if name in _SINGLE and not is_end and (is_open or not inside):
            out.append(_SINGLE[name])
        elif name == "vanish":
            is_hidden = _OFF.search(tag[3]) is None
        elif name == "r" and is_end:
            is_hidden = False
        elif is_end or is_alone:
            if name in _PARAGRAPHS:
                out.append(" " if cells else "\n")
            elif name in _CELLS:
                out.append("\t")
            elif name in _ROWS:
                out.append("\n")
    return "".join(out)
