"""Make hostile text harmless to the eye: what cannot be seen is written out.

Markup is the template's affair (autoescape); this is about characters that hide, reorder or pile
up: controls, bidirectional overrides, zero-width characters, stacks of combining marks.
"""

import unicodedata

SHORT = 200
STACK = 3

_KEPT = frozenset("\n\t")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5\ufe0f\ufe0e")


def make_visible(text: object) -> str:
    """Return text in which every hidden character is shown as its code, like ⟦U+202E⟧.

    A carriage return that ends a line is no more than that: forms and mails end theirs so.
    """
    shown: list[str] = []
    stacked = 0
    for character in str(text).replace("\r\n", "\n").removesuffix("\r"):
        stacked = stacked + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        hidden = stacked > STACK or _is_hidden(character)
        shown.append(f"⟦U+{ord(character):04X}⟧" if hidden else character)
    return "".join(shown)


def shorten(text: object, length: int = SHORT) -> str:
    """Return text for one line: visible, without line breaks, at most `length` long and an …."""
    flat = " ".join(str(text)[: length * 4].split())
    if len(flat) > length or len(str(text)) > length * 4:
        flat = flat[:length] + "…"
    return make_visible(flat)


def _is_hidden(character: str) -> bool:
    if character in _KEPT or (" " <= character <= "~"):
        return False
    return character in _BLANK or unicodedata.category(character) in _HIDDEN
