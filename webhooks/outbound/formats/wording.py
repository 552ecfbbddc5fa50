"""From a message to safe words: what a page or a text message said must not act in a chat."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from webhooks.messages import Message

_UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_BREAKS = re.compile(r"\r\n?|[\u2028\u2029]")
_LINK = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20}):(?=//)")
_DOT = re.compile(r"(?<=[0-9A-Za-z])\.(?=[0-9A-Za-z])")
_NUMERIC_DOT = re.compile(r"(?<![0-9.])\d+\[\.\]\d+(?![0-9\[])")
_LABELS = {
    "zh": {"open": "查看事件", "count": "已见 {n} 次"},
    "en": {"open": "Open the incident", "count": "seen {n} times"},
}
_MOST_LINES = 40


def clean(value: Any) -> str:
    """Return a text without control, direction and invisible characters; line ends are kept."""
    return _UNSEEN.sub("\ufffd", _BREAKS.sub("\n", value if isinstance(value, str) else str(value)))


def one_line(value: Any) -> str:
    """Return a clean text on one line."""
    return " ".join(clean(value).split())


def defanged(value: Any) -> str:
    """Return a clean text whose links and mentions are dead: `hxxp`, `[.]`, a wide at sign."""
    text = _LINK.sub(lambda found: found[1].lower().replace("t", "x") + "[:]", clean(value))
    text = _NUMERIC_DOT.sub(lambda found: found[0].replace("[.]", "."), _DOT.sub("[.]", text))
    return text.replace("@", "＠")


def title_of(message: Message) -> str:
    """Return the message's title, else its type."""
    return one_line(message.data.get("title") or message.type)


def lines_of(message: Message) -> list[str]:
    """Return the sentences of the message, then how often it was seen."""
    given = message.data.get("lines")
    lines = [str(line) for line in given] if isinstance(given, Sequence) else []
    count = message.data.get("count")
    if isinstance(count, int) and count > 1:
        lines.append(_label(message, "count").format(n=count))
    return lines[:_MOST_LINES]


def chat_lines(message: Message) -> list[str]:
    """Return title and sentences, each defanged and on one line."""
    return [" ".join(defanged(line).split()) for line in (title_of(message), *lines_of(message))]


def chat_text(message: Message, most_bytes: int) -> str:
    """Return the whole message as plain chat text within `most_bytes` of UTF-8, link last."""
    link = link_of(message)
    room = most_bytes - len(link.encode()) - 1
    text = cut_bytes("\n".join(chat_lines(message)), room)
    return f"{text}\n{link}" if link else text


def link_of(message: Message) -> str:
    """Return our own link to the incident, or nothing."""
    link = message.data.get("link")
    is_ours = isinstance(link, str) and re.fullmatch(r"https?://[!-~]{1,1000}", link)
    return str(link) if is_ours else ""


def open_label(message: Message) -> str:
    """Return the words on the button that opens the incident."""
    return _label(message, "open")


def cut_bytes(text: str, most: int) -> str:
    """Cut a text to `most` bytes of UTF-8, between characters, with an ellipsis."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= most:
        return text
    return raw[: max(0, most - 3)].decode("utf-8", "ignore") + "…"


def cut(text: str, most: int) -> str:
    """Cut a text to `most` characters with an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def text_in(data: Mapping[str, Any], name: str, most: int = 500) -> str:
    """Return a field of the message on one line, or nothing."""
    value = data.get(name)
    return cut(one_line(value), most) if isinstance(value, str | int | float) else ""


def group_of(message: Message) -> str:
    """Return what repeats group under: the incident, else the message itself."""
    return text_in(message.data, "incident", 200) or message.id


def _label(message: Message, name: str) -> str:
    return _LABELS["en" if message.lang == "en" else "zh"][name]
