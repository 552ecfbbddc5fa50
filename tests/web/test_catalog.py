"""Both languages are complete, and what is compiled is what is written."""

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from canary.web.api.app import OPERATIONS

WEB = Path(__file__).parents[2] / "canary" / "web"
FOLDER = WEB / "translations" / "zh_Hans_CN" / "LC_MESSAGES"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {
    "_": None,
    "_l": None,
    "gettext": None,
    "lazy_gettext": None,
    "mark": None,
    "ngettext": (1, 2),
}


@pytest.fixture(scope="module")
def used() -> set[str]:
    """Return every sentence the pages can say, in its first form."""
    options = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
    found = extract_from_dir(WEB, METHODS, options_map=options, keywords=KEYWORDS)
    return {_first(message) for _, _, message, _, _ in found}


@pytest.fixture(scope="module")
def written() -> Catalog:
    return read_po(io.BytesIO((FOLDER / "messages.po").read_bytes()))


def test_every_sentence_is_translated(used, written):
    done = {_first(message.id) for message in written if _is_filled(message.string)}
    assert sorted(used - done) == []


def test_every_operation_is_told_in_both_languages(written):
    done = {_first(message.id) for message in written if _is_filled(message.string)}
    assert [one.summary for one in OPERATIONS if one.summary not in done] == []


def test_no_translation_is_left_over(used, written):
    assert sorted({_first(message.id) for message in written if message.id} - used) == []


def test_nothing_is_marked_fuzzy(written):
    assert [message.id for message in written if message.id and message.fuzzy] == []


def test_placeholders_survive_translation(written):
    named = re.compile(r"%\(\w+\)s")
    wrong = [
        message.id
        for message in written
        if message.id
        and set(named.findall(_first(message.id))) != set(named.findall(_first(message.string)))
    ]
    assert wrong == []


def test_compiled_catalog_is_fresh(written):
    compiled = read_mo(io.BytesIO((FOLDER / "messages.mo").read_bytes()))
    assert {_first(message.id): _first(message.string) for message in compiled if message.id} == {
        _first(message.id): _first(message.string) for message in written if message.id
    }


def _first(text: object) -> str:
    return str(text[0]) if isinstance(text, tuple | list) else str(text)


def _is_filled(text: object) -> bool:
    return bool(_first(text)) if text else False
