"""What services say about a table's rows or a batch's plan, in the page's language.

Services speak English with values in their sentences; here the sentences are known by their shape.
"""

import re
from collections.abc import Mapping

from canary.web.catalog import gettext
from canary.web.catalog import lazy_gettext as _l

# {} stands for a value. Each shape is translated as a whole, its values by place: %(a)s to %(c)s.
SHAPES: Mapping[str, object] = {
    "parent {} is not a source": _l("parent %(a)s is not a source"),
    "add a row for it or correct the code": _l("add a row for it or correct the code"),
    "code {} stands in row {} already": _l("code %(a)s stands in row %(b)s already"),
    "give each source a code of its own": _l("give each source a code of its own"),
    "the code is empty": _l("the code is empty"),
    "give each source a short unique code": _l("give each source a short unique code"),
    "{} is not a code": _l("%(a)s is not a code"),
    "use up to {} characters without spaces": _l("use up to %(a)s characters without spaces"),
    "the name is empty": _l("the name is empty"),
    "give the source a name people know": _l("give the source a name people know"),
    "this is longer than {} characters": _l("this is longer than %(a)s characters"),
    "shorten it": _l("shorten it"),
    "unknown kind {}": _l("unknown kind %(a)s"),
    "use one of {}": _l("use one of %(a)s"),
    "{} is not a whole number": _l("%(a)s is not a whole number"),
    "give parcels a day, such as 1200": _l("give parcels a day, such as 1200"),
    "{} is not a division code": _l("%(a)s is not a division code"),
    "give 2, 4 or 6 digits such as 440305": _l("give 2, 4 or 6 digits such as 440305"),
    "unknown carrier {}": _l("unknown carrier %(a)s"),
    "use {}": _l("use %(a)s"),
    "{} is a circle": _l("%(a)s is a circle"),
    "a source cannot stand above itself; correct one parent": _l(
        "a source cannot stand above itself; correct one parent"
    ),
    "this number stands in row {} already": _l("this number stands in row %(a)s already"),
    "remove one of the rows": _l("remove one of the rows"),
    "{} is not a date": _l("%(a)s is not a date"),
    "write it as 2026-03-01": _l("write it as 2026-03-01"),
    "{} is no number of days": _l("%(a)s is no number of days"),
    "{} is a formula, not a value": _l("%(a)s is a formula, not a value"),
    "paste the values instead": _l("paste the values instead"),
    "{} lost its digits in a spreadsheet": _l("%(a)s lost its digits in a spreadsheet"),
    "format the column as text and type again": _l("format the column as text and type again"),
    "this holds a control character": _l("this holds a control character"),
    "type the text again": _l("type the text again"),
    "this is no single value": _l("this is no single value"),
    "give one text": _l("give one text"),
    "{} cells under {} columns": _l("%(a)s cells under %(b)s columns"),
    "quote cells that contain a comma": _l("quote cells that contain a comma"),
    "{} has no column {}": _l("%(a)s has no column %(b)s"),
    "add it; the columns are {}": _l("add it; the columns are %(a)s"),
    "{} is neither UTF-8 nor GB18030 text": _l("%(a)s is neither UTF-8 nor GB18030 text"),
    "save the file as CSV UTF-8": _l("save the file as CSV UTF-8"),
    "{} is not a readable workbook": _l("%(a)s is not a readable workbook"),
    "save it as XLSX or CSV": _l("save it as XLSX or CSV"),
    "{} is empty": _l("%(a)s is empty"),
    "the first row names the columns: {}": _l("the first row names the columns: %(a)s"),
    "{} names are wanted in region {}, where {} are left that differ under a mask": _l(
        "%(a)s names are wanted in region %(b)s, where %(c)s are left that differ under a mask"
    ),
    "{} reserved numbers of {} are wanted, {} are left": _l(
        "%(a)s reserved numbers of %(b)s are wanted, %(c)s are left"
    ),
    "the phone pool is empty: {} baits get no phone and catch no message": _l(
        "the phone pool is empty: %(a)s baits get no phone and catch no message"
    ),
    "{} baits share {} phones: sources get sets of phones by a code": _l(
        "%(a)s baits share %(b)s phones: sources get sets of phones by a code"
    ),
    "{} phones are wanted, {} are left that no bait bears and that differ under a mask "
    "(first three, last four)": _l(
        "%(a)s phones are wanted, %(b)s are left that no bait bears and that differ under a mask"
        " (first three, last four)"
    ),
    "{} serves no lane inside China: its baits stand out unless the source handles parcels "
    "from abroad": _l(
        "%(a)s serves no lane inside China: its baits stand out unless the source handles parcels"
        " from abroad"
    ),
    "{} can query sources of this batch but gets no bait of its own: its leak could not be told "
    "from theirs": _l(
        "%(a)s can query sources of this batch but gets no bait of its own: its leak could not be"
        " told from theirs"
    ),
    "{} phones are still burning in and are not given out": _l(
        "%(a)s phones are still burning in and are not given out"
    ),
    "{} is not a name for a batch": _l("%(a)s is not a name for a batch"),
    "use up to {} printable characters": _l("use up to %(a)s printable characters"),
}

_VALUES = "abc"
_SHAPES = tuple(
    (re.compile(re.escape(shape).replace(r"\{\}", "(.{0,400}?)"), re.DOTALL), str(shape))
    for shape in sorted(SHAPES, key=len, reverse=True)
)


def tell_flaw(text: str) -> str:
    """Return a service's sentence in the page's language where its shape is known."""
    for pattern, shape in _SHAPES:
        found = pattern.fullmatch(text)
        if found:
            values = dict(zip(_VALUES, found.groups(), strict=False))
            return str(SHAPES[shape]) % values if values else str(SHAPES[shape])
    return gettext(text)
