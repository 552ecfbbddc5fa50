"""What is told to the outside: one message, rendered by each format in its own way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message; `id` stays the same over all attempts and endpoints.

    `type` is dotted and past (`incident.opened`), `occurred_at` aware UTC, `lang` `zh` or `en`.
    `data` is a JSON mapping. Formats for people and for incident systems use these keys where
    they are given, all optional: `title` (one line), `lines` (list of sentences), `link` (URL),
    `severity` (`critical error warning info`), `incident` (its id: repeats group under it),
    `source` (code of the named source), `venue`, `url` (where it was seen), `closed` (bool),
    `count` (how many sightings), `first_seen` and `last_seen` (ISO 8601).
    """

    id: str
    type: str
    occurred_at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    lang: str = "zh"
