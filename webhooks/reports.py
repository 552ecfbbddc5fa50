"""What came in: the post as received and the reports read from it."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from urllib.parse import quote

from webhooks.errors import PayloadError

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-telegram-bot-api-secret-token"}
)


class ReportKind(StrEnum):
    """What kind of thing was reported."""

    LISTING = "listing"
    SMS = "sms"
    CALL = "call"
    QUERY_LOG = "query_log"
    TRACKING_LOOKUP = "tracking_lookup"
    DOCUMENT = "document"
    MANUAL = "manual"


class Grade(StrEnum):
    """How the post was proven: its body signed, the sender only, by a person, or got by us."""

    SIGNED = "signed"
    WEAK = "weak"
    MANUAL = "manual"
    FETCHED = "fetched"


class TimeBasis(StrEnum):
    """What a claimed time rests on."""

    STATED = "stated"
    ASSUMED_ZONE = "assumed_zone"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One HTTP request as received.

    `url` is the public one with its query; `headers` have lower-case names; `path_required` says
    that the reporter has a secret path, `path_proven` that this post came in by it.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    remote_address: str
    received_at: datetime
    path_secret: str | None = None
    path_required: bool = False
    path_proven: bool = False

    @property
    def query(self) -> str:
        """Return the query string as sent, without the question mark."""
        return self.url.partition("?")[2]

    @property
    def content_type(self) -> str:
        """Return the media type in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def without_secrets(self) -> Self:
        """Return the post as it may be stored: no secret path, no credentials."""
        hidden = quote(f"/{self.path_secret}") if self.path_secret else ""
        url = self.url.replace(hidden, "/***") if hidden else self.url
        kept = {
            name: "***" if name in _SECRET_HEADERS else value
            for name, value in self.headers.items()
        }
        return replace(self, url=url, headers=kept, path_secret=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a long message: `number` counts from 1 to `total` under one `reference`."""

    reference: str
    number: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One claim in a post. Text is storable: NUL and lone surrogates are replaced.

    `claimed_at` is aware or None and only ever a claim; `removed_text` holds lines that a change
    monitor says are gone; `charset_rung` tells how the charset was found.
    """

    kind: ReportKind
    text: str
    removed_text: str = ""
    sender: str = ""
    receiver: str = ""
    device: str = ""
    slot: str = ""
    venue: str = ""
    url: str = ""
    title: str = ""
    claimed_at: datetime | None = None
    time_basis: TimeBasis = TimeBasis.NONE
    charset: str = "utf-8"
    charset_rung: str = "utf-8"
    message_id: str = ""
    part: Part | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make every string storable, whoever built the report."""
        for name in _STRING_FIELDS:
            object.__setattr__(self, name, storable(getattr(self, name)))
        clean = {storable(key): storable(value) for key, value in self.details.items()}
        object.__setattr__(self, "details", clean)

    def to_json(self) -> str:
        """Return the report as one JSON object that `from_json` reads back unchanged."""
        value = {name: getattr(self, name) for name in _FIELDS}
        value["claimed_at"] = self.claimed_at.isoformat() if self.claimed_at else None
        value["part"] = asdict(self.part) if self.part else None
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote; raises PayloadError on anything else."""
        try:
            return cls(**_typed(json.loads(text)))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise PayloadError("not a stored report") from error


_FIELDS = tuple(one.name for one in fields(Report))
_STRING_FIELDS = tuple(one.name for one in fields(Report) if one.type is str)


def storable(text: str) -> str:
    """Replace NUL and lone surrogates, which databases refuse."""
    return _UNSTORABLE.sub("\ufffd", text)


def _typed(value: dict[str, Any]) -> dict[str, Any]:
    claimed, part = value.get("claimed_at"), value.get("part")
    return {
        **value,
        "kind": ReportKind(value["kind"]),
        "time_basis": TimeBasis(value.get("time_basis", TimeBasis.NONE)),
        "claimed_at": datetime.fromisoformat(claimed) if claimed else None,
        "part": Part(**part) if part else None,
    }
