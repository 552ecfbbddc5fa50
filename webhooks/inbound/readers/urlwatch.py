"""urlwatch and others that post a unified diff in Slack's shape."""

import re
from collections.abc import Mapping
from typing import Any

from webhooks.errors import PayloadError
from webhooks.inbound.fields import fields_of, text_at
from webhooks.inbound.markup import read_unified
from webhooks.inbound.reading import Reply
from webhooks.inbound.weak import WeakReader
from webhooks.reports import Post, Report, ReportKind

_URL = re.compile(r"https?://[^\s<>\"'()]{1,1000}")


class UrlwatchReader(WeakReader):
    """Keeps removed lines apart; the address is the first one in the text."""

    name = "urlwatch"
    methods = frozenset({"POST"})
    reply = Reply(status=200, body=b"ok")

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return the change as one report."""
        said = text_at(fields_of(post), "text", "payload")
        difference = read_unified(said)
        if not difference.text.strip() and not difference.removed_text.strip():
            raise PayloadError("no text")
        found = _URL.search(said)
        return [
            Report(
                kind=ReportKind.LISTING,
                text=difference.text,
                removed_text=difference.removed_text,
                url=found[0] if found else "",
                venue=str(options.get("venue", "")),
            )
        ]
