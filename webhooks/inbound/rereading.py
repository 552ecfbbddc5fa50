"""Read a stored post anew, after its reader or its reporter's options were mended."""

from collections.abc import Mapping
from typing import Any

from webhooks.errors import PayloadError
from webhooks.inbound.registry import READERS
from webhooks.reports import Post, Report


def read_again(shape: str, post: Post, options: Mapping[str, Any]) -> list[Report]:
    """Return the reports in a post that was proven when it came. Raises PayloadError."""
    reader = READERS.get(shape)
    if reader is None:
        raise PayloadError("there is no reader for this format any more")
    return reader.read(post, options)
