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
    "{} is neither UTF-8, GB18030 nor marked UTF-16 text": _l(
        "%(a)s is neither UTF-8, GB18030 nor marked UTF-16 text"
    ),
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
    "{} is larger than {} MiB": _l("%(a)s is larger than %(b)s MiB"),
    "split the file": _l("split the file"),
    "{} is not a CSV table: {}": _l("%(a)s is not a CSV table: %(b)s"),
    "check the quotes in this row": _l("check the quotes in this row"),
    "{} is not JSON: {}": _l("%(a)s is not JSON: %(b)s"),
    "check the file": _l("check the file"),
    "{} must be a list of objects": _l("%(a)s must be a list of objects"),
    "wrap the rows in [ ]": _l("wrap the rows in [ ]"),
    "column {} stands twice": _l("column %(a)s stands twice"),
    "remove one": _l("remove one"),
    "the phone number is empty": _l("the phone number is empty"),
    "the phone number is too long": _l("the phone number is too long"),
    "give one number, such as {} or {}": _l("give one number, such as %(a)s or %(b)s"),
    "format the column as text and type the number again": _l(
        "format the column as text and type the number again"
    ),
    "{} has characters no phone number has": _l("%(a)s has characters no phone number has"),
    "write digits only": _l("write digits only"),
    "{} has {} digits and is neither a mobile, a fixed nor a service line": _l(
        "%(a)s has %(b)s digits and is neither a mobile, a fixed nor a service line"
    ),
    "write 11 digits, a fixed line with its area code, or +country for one abroad": _l(
        "write 11 digits, a fixed line with its area code, or +country for one abroad"
    ),
    "{} is no mobile number of prefix {}": _l("%(a)s is no mobile number of prefix %(b)s"),
    "it needs {} digits": _l("it needs %(a)s digits"),
    "it needs another prefix": _l("it needs another prefix"),
    "{} is no fixed line of a known area code": _l("%(a)s is no fixed line of a known area code"),
    "write it as {}": _l("write it as %(a)s"),
    "{} is no valid number abroad": _l("%(a)s is no valid number abroad"),
    "give 0 to {} days in which no bait bears the phone": _l(
        "give 0 to %(a)s days in which no bait bears the phone"
    ),
    "block {} was not assigned at the end of 2023: make sure it is yours": _l(
        "block %(a)s was not assigned at the end of 2023: make sure it is yours"
    ),
    "satellite and emergency range: use another phone for bait": _l(
        "satellite and emergency range: use another phone for bait"
    ),
    "prefix {} is allocated to no public network: for test numbers only": _l(
        "prefix %(a)s is allocated to no public network: for test numbers only"
    ),
    "prefix {} is new: many systems refuse it": _l("prefix %(a)s is new: many systems refuse it"),
    "usually takes no calls": _l("usually takes no calls"),
    "a machine's number: no person's waybill carries it": _l(
        "a machine's number: no person's waybill carries it"
    ),
    "reserved for fiction: it never rings, so it catches no message": _l(
        "reserved for fiction: it never rings, so it catches no message"
    ),
    "rows {} look alike under a mask (first three, last four): "
    "one of them is given out while others last": _l(
        "rows %(a)s look alike under a mask (first three, last four):"
        " one of them is given out while others last"
    ),
    "the plan has no rows": _l("the plan has no rows"),
    "give source and count": _l("give source and count"),
    "the source is empty": _l("the source is empty"),
    "give its code": _l("give its code"),
    "{} is no route": _l("%(a)s is no route"),
    "write {}, or {} for what never enters a system others can query": _l(
        "write %(a)s, or %(b)s for what never enters a system others can query"
    ),
    "{} is not a count": _l("%(a)s is not a count"),
    "give a whole number from 1 to {}": _l("give a whole number from 1 to %(a)s"),
    "{} of {} baits that stay local": _l("%(a)s of %(b)s baits that stay local"),
    "give 0 up to the baits per source; in a plan file, the column route says it": _l(
        "give 0 up to the baits per source; in a plan file, the column route says it"
    ),
    "there is no source {}": _l("there is no source %(a)s"),
    "import it first; see `canary sources list`": _l("import it first; see `canary sources list`"),
    "{} is no field and level": _l("%(a)s is no field and level"),
    "write waybill:full;phone:masked": _l("write waybill:full;phone:masked"),
    "{} of these numbers were not placed by batch {} there": _l(
        "%(a)s of these numbers were not placed by batch %(b)s there"
    ),
    "confirm each batch and source with its own numbers": _l(
        "confirm each batch and source with its own numbers"
    ),
    "this number is no bait of ours": _l("this number is no bait of ours"),
    "give the numbers of the planting sheet": _l("give the numbers of the planting sheet"),
    "sheet {}: {}": _l("sheet %(a)s: %(b)s"),
    "no Chinese font was found for labels": _l("no Chinese font was found for labels"),
    "install Noto Sans CJK, or name a TTF, OTF or TTC file as `font`": _l(
        "install Noto Sans CJK, or name a TTF, OTF or TTC file as `font`"
    ),
}

_VALUES = "abc"
_NOTE = re.compile(r"row ([0-9]{1,9}): (.{1,400})", re.DOTALL)
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


def tell_note(text: str) -> str:
    """Return a note of an import, `row N: ...`, in the page's language."""
    found = _NOTE.fullmatch(text)
    return tell_row(int(found[1]), tell_flaw(found[2])) if found else tell_flaw(text)


def tell_row(row: int, text: str) -> str:
    """Return a sentence with the row of the table it is about."""
    return gettext("Row %(row)s: %(said)s.", row=row, said=text)
