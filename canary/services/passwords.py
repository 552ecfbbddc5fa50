"""What a password must be: long, not common, not built from the context's own words.

`common_passwords.txt` is the head of the frequency list that comes with zxcvbn (MIT licence).
"""

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources

from canary.domain.errors import Invalid

SHORTEST = 12
LONGEST = 128
CONTEXT = ("canary", "waybill", "courier", "parcel", "kuaidi", "miandan", "yundan")

_LEET = str.maketrans("013457@$!", "oleastasi")


def check_password(password: str, *, words: Sequence[str] = ()) -> None:
    """Raise Invalid, with the way to mend it, when `password` is poor."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(
            f"a password has {SHORTEST} to {LONGEST} characters",
            field="password",
            mend="use a sentence of several words",
        )
    if _is_common(password, words):
        raise Invalid(
            "this password is easily guessed",
            field="password",
            mend="use several unrelated words",
        )


def _is_common(password: str, words: Sequence[str]) -> bool:
    lowered = password.lower()
    forms = {lowered, lowered.translate(_LEET), _stem(lowered), _stem(lowered).translate(_LEET)}
    if forms & _list_common() or len(set(lowered)) < 5:
        return True
    known = (*CONTEXT, *(word.lower() for word in words if len(word) >= 4))
    return any(_without(form, known) for form in forms)


def _without(form: str, words: Sequence[str]) -> bool:
    """Tell whether fewer than eight characters are left once `words` are taken out."""
    rest = form
    for word in words:
        rest = rest.replace(word, "")
    return rest != form and len(rest) < 8


def _stem(password: str) -> str:
    """Drop the digits and signs put before and behind a word."""
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password)


@cache
def _list_common() -> frozenset[str]:
    text = resources.files("canary.services").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(text.split())
