"""Read `multipart/form-data` with the raw bytes of each field."""

import re
from dataclasses import dataclass, field

from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from webhooks.errors import PayloadError
from webhooks.reports import Post

MOST_PARTS = 200
_BOUNDARY = re.compile(r"boundary=\"?([0-9A-Za-z'()+_,./:=? -]{1,70})", re.IGNORECASE)


@dataclass(slots=True)
class FormPart:
    """One field or file; `filename` is empty for a field."""

    name: str
    filename: str = ""
    body: bytes = b""
    chunks: list[bytes] = field(default_factory=list)


def is_multipart(post: Post) -> bool:
    """Say whether the body is a multipart form."""
    return post.content_type == "multipart/form-data"


def parts_of(post: Post) -> list[FormPart]:
    """Return the parts in order; raises PayloadError."""
    found = _BOUNDARY.search(post.headers.get("content-type", "")[:500])
    if not found:
        raise PayloadError("multipart without a boundary")
    decoder = MultipartDecoder(
        found[1].rstrip().encode(), max_form_memory_size=None, max_parts=MOST_PARTS
    )
    try:
        decoder.receive_data(post.body)
        decoder.receive_data(None)
        return _collect(decoder)
    # werkzeug raises HTTP errors and ValueError on what it cannot read.
    except Exception as error:
        raise PayloadError("not a readable multipart form") from error


def _collect(decoder: MultipartDecoder) -> list[FormPart]:
    parts: list[FormPart] = []
    while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
        if isinstance(event, Field):
            parts.append(FormPart(event.name or ""))
        elif isinstance(event, File):
            parts.append(FormPart(event.name or "", event.filename or "file"))
        elif isinstance(event, Data) and parts:
            parts[-1].chunks.append(event.data)
    for part in parts:
        part.body = b"".join(part.chunks)
    return parts
