"""AIL tracker matches."""

from collections.abc import Mapping
from typing import Any

from webhooks.errors import PayloadError
from webhooks.inbound.fields import find, text_at
from webhooks.inbound.reading import ACCEPTED
from webhooks.inbound.weak import WeakReader
from webhooks.json_strict import read_object
from webhooks.reports import Post, Report, ReportKind


class AilReader(WeakReader):
    """Reads the context of each match: the content itself is not sent, only its link."""

    name = "ail"
    methods = frozenset({"POST"})
    reply = ACCEPTED

    def read(self, post: Post, _options: Mapping[str, Any]) -> list[Report]:
        """Return the matches as one report."""
        notice = read_object(post.body)
        if text_at(notice, "type") != "tracker:match":
            raise PayloadError("not a tracker match")
        matches = find(notice, "matches")
        contexts = [_context(one) for one in matches] if isinstance(matches, list) else []
        text = "\n".join(one for one in contexts if one) or text_at(notice, "tracker.tracker")
        if not text:
            raise PayloadError("no match and no rule")
        tags = find(notice, "obj.tags")
        return [
            Report(
                kind=ReportKind.LISTING,
                text=text,
                url=text_at(notice, "obj.url"),
                venue=text_at(notice, "obj.subtype", "obj.type"),
                details={
                    "object": text_at(notice, "obj.id")[:500],
                    "tracker": text_at(notice, "tracker.uuid"),
                    "tags": ", ".join(str(tag) for tag in tags[:40])
                    if isinstance(tags, list)
                    else "",
                },
            )
        ]


def _context(match: Any) -> str:
    if isinstance(match, list):
        strings = [one for one in match if isinstance(one, str)]
        return max(strings, key=len, default="")
    return match if isinstance(match, str) else ""
