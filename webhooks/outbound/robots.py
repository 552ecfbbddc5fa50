"""Does a site want us there, and how fast: its robots.txt (RFC 9309), remembered for a day."""

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from webhooks.errors import DeliveryError
from webhooks.outbound.fetcher import HttpFetcher

if TYPE_CHECKING:
    from protego import Protego

KEPT_FOR = timedelta(days=1)
MOST_SITES = 500
MOST_CHARACTERS = 500 * 1024
LONGEST_DELAY = 3600.0
_MOST_WILDCARDS = 3
_RULE = re.compile(r"(\s{0,9}(?:dis)?allow\s{0,9}:)(.{0,2000})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Whether an address may be fetched, and the pause asked for between two calls, in seconds."""

    is_given: bool
    pause: float = 0.0


class Robots:
    """Asks sites and remembers what they said."""

    def __init__(self, fetcher: HttpFetcher) -> None:
        self._fetcher = fetcher
        self._name = fetcher.agent.partition("/")[0].partition(" ")[0]
        self._known: OrderedDict[str, tuple[datetime, Protego | None]] = OrderedDict()
        self._lock = Lock()

    def ask(self, url: str, now: datetime) -> Permission:
        """Tell whether `url` may be fetched.

        A site without rules allows everything. Raises DeliveryError when it cannot be asked:
        then nothing may be fetched either.
        """
        rules = self._rules(url, now)
        if rules is None:
            return Permission(is_given=True)
        asked = float(rules.crawl_delay(self._name) or 0)
        pause = min(max(asked, 0.0), LONGEST_DELAY)
        return Permission(is_given=bool(rules.can_fetch(url, self._name)), pause=pause)

    def _rules(self, url: str, now: datetime) -> "Protego | None":
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            known = self._known.get(site)
        if known is not None and timedelta() <= now - known[0] < KEPT_FOR:
            return known[1]
        rules = self._read(site)
        with self._lock:
            self._known[site] = (now, rules)
            if len(self._known) > MOST_SITES:
                self._known.popitem(last=False)
        return rules

    def _read(self, site: str) -> "Protego | None":
        from protego import Protego

        page = self._fetcher.fetch(f"{site}/robots.txt")
        if page.status == 429 or page.status >= 500:
            raise DeliveryError(f"its robots.txt answered {page.status}")
        if page.status != 200:
            return None
        return Protego.parse(_tame(page.body.decode("utf-8", "replace")[:MOST_CHARACTERS]))


def _tame(text: str) -> str:
    """Cut each rule after its third wildcard: rules become patterns, and those take turns."""
    lines = []
    for line in text.splitlines():
        rule = _RULE.match(line)
        if rule and rule[2].count("*") > _MOST_WILDCARDS:
            kept = "*".join(re.sub(r"\*+", "*", rule[2]).split("*")[: _MOST_WILDCARDS + 1])
            line = rule[1] + kept
        lines.append(line[:2100])
    return "\n".join(lines)
