"""What every format offers, and the judgement of answers they share."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from webhooks.errors import DeliveryError, PayloadError
from webhooks.json_strict import read_object
from webhooks.messages import Message
from webhooks.outbound.sending import Answer, Request

JSON_TYPE = "application/json; charset=utf-8"
# Worth another attempt although they begin with a 4.
PASSING = frozenset({408, 425, 429})
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    """Where one endpoint is and what its format needs to know."""

    url: str
    secrets: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


class Format(Protocol):
    """One receiver's format."""

    name: str

    def render(self, message: Message, config: EndpointConfig, now: datetime, /) -> Request:
        """Return the call that tells the message; raises DeliveryError if it cannot be told."""

    def judge(self, answer: Answer, now: datetime, /) -> None:
        """Return when the message was taken, else raise DeliveryError."""


def judge_status(answer: Answer, now: datetime) -> None:
    """Take any 2xx; 4xx is permanent except 408, 425 and 429; the rest is worth another try."""
    if 200 <= answer.status < 300:
        return
    raise DeliveryError(
        f"answered {answer.status}",
        permanent=400 <= answer.status < 500 and answer.status not in PASSING,
        retry_after=retry_after(answer, now),
        answer=answer.excerpt,
    )


def retry_after(answer: Answer, now: datetime) -> float | None:
    """Return the seconds of `Retry-After`, given as number or date, or None."""
    text = answer.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def judge_code(
    answer: Answer,
    now: datetime,
    names: Sequence[str],
    permanent: frozenset[int],
    waits: Mapping[int, float],
) -> None:
    """Take a 2xx only if the first of `names` in its JSON body is 0.

    Chinese chat robots answer 200 to what they refuse. `waits` are the seconds to leave a robot
    alone that says it was called too often: it has no Retry-After.
    """
    judge_status(answer, now)
    try:
        body = read_object(answer.body)
    except PayloadError as error:
        raise DeliveryError("answered without JSON", answer=answer.excerpt) from error
    code = next((body[name] for name in names if name in body), None)
    if code == 0 and code is not False:
        return
    known = code if isinstance(code, int) else None
    raise DeliveryError(
        f"refused with code {str(code)[:20]}",
        permanent=known in permanent,
        retry_after=waits.get(known) if known is not None else None,
        answer=answer.excerpt,
    )


def dump(value: Any) -> bytes:
    """Return compact UTF-8 JSON; lone surrogates are replaced, NaN is refused for good."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise DeliveryError("the message is not JSON", permanent=True) from error
    return text.encode("utf-8", "replace")
