"""What sightings displayed: one row for each bait record shown, and the venues' habits."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.domain.sightings import ChannelClass
from canary.storage.tables import Bait, Match, Sighting
from webhooks.reports import ReportKind

FIELDS = ("waybill", "phone", "name", "district")
CHUNK = 500
WIDE_GAP = 1000
FIELD_OF_KIND = {
    "number": "waybill",
    "phone": "phone",
    "name": "name",
    "address": "district",
    "arrival": "phone",
}


def to_hours(at: datetime, start: datetime) -> float:
    """Return hours since the window began, to a few milliseconds."""
    return round((at - start) / timedelta(hours=1), 6)


@dataclass(slots=True)
class Sites:
    """The venues of this world, and what each of them showed."""

    order: dict[tuple[str, str, str], int] = field(default_factory=dict)
    shown: dict[int, Counter[tuple[str, int]]] = field(default_factory=lambda: defaultdict(Counter))
    events: Counter[int] = field(default_factory=Counter)

    def index(self, channel: str, venue: str, channel_class: str) -> int:
        return self.order.setdefault((channel, venue, channel_class), len(self.order))

    def note(self, site: int, level: dict[str, int]) -> None:
        self.events[site] += 1
        for name, step in level.items():
            self.shown[site][name, step] += 1

    def to_json(self, session: Session, sightings: Sequence[Sighting]) -> list[dict[str, Any]]:
        venues = sorted({sighting.venue for sighting in sightings})
        corpus: dict[str, int] = {}
        for start in range(0, len(venues), CHUNK):
            rows = session.execute(
                select(Sighting.venue, func.sum(Sighting.record_count))
                .where(Sighting.venue.in_(venues[start : start + CHUNK]))
                .group_by(Sighting.venue)
            )
            corpus.update({venue: int(total) for venue, total in rows})
        return [
            {
                "id": self._name(key),
                "channel": key[0],
                "corpus": 0.0 if key[0] == "sms" else float(corpus.get(key[1], 1)),
                "class": key[2],
                "show": {name: self._habit(site, name) for name in FIELDS},
            }
            for key, site in self.order.items()
        ]

    def _name(self, key: tuple[str, str, str]) -> str:
        """Name a site by its venue, and by how it came in where that alone is not unique."""
        channel, venue, channel_class = key
        shown = f"SMS {venue}" if channel == "sms" else venue
        twins = [other for other in self.order if other[:2] == key[:2]]
        return shown if len(twins) == 1 else f"{shown} ({channel_class})"

    def _habit(self, site: int, name: str) -> list[float]:
        total = self.events[site] + 1.5
        return [(self.shown[site][name, step] + 0.5) / total for step in (2, 1)]


def place_numbers(numbers: Mapping[int, str]) -> dict[int, str]:
    """Place numbers as far apart as they are, but never so far that one would tell another."""
    digits = {at: "".join(filter(str.isdecimal, number)) for at, number in numbers.items()}
    serials = sorted((int(found), at) for at, found in digits.items() if found)
    places: dict[int, str] = {}
    place, before = 0, 0
    for serial, at in serials:
        place, before = place + min(serial - before, WIDE_GAP), serial
        places[at] = str(place)
    return places


@dataclass(frozen=True, slots=True)
class Seen:
    """Turns sightings into what was displayed: one row for each bait record shown."""

    order: dict[int, int]
    baits: dict[int, Bait]
    codes: dict[int, str]
    sites: Sites
    start: datetime

    def list_rows(self, sightings: Sequence[Sighting]) -> list[dict[str, Any]]:
        return [row for sighting in sightings for row in self._rows_of(sighting)]

    def _rows_of(self, sighting: Sighting) -> Iterable[dict[str, Any]]:
        for number, group in enumerate(_group(sighting.matches)):
            arrived = any(match.kind == "arrival" for match in group)
            level = _levels(group)
            channel_class = _class_of(sighting, arrived=arrived)
            site = self.sites.index("sms" if arrived else "resale", sighting.venue, channel_class)
            self.sites.note(site, level)
            row: dict[str, Any] = {
                "id": f"{sighting.ref}/{number}",
                "time": to_hours(sighting.seen_at, self.start),
                "site": site,
                "level": level,
                "shown": {name: self._shown(name, group) for name in level},
                "matches": sorted({self.order[match.bait_id] for match in group}),
                "class": channel_class,
            }
            if arrived:
                row["template"] = sighting.text_key.hex()
            if sighting.reporter.source_id is not None:
                row["party"] = self.codes[sighting.reporter.source_id]
            yield row

    def _shown(self, name: str, group: Sequence[Match]) -> str:
        """Name what was displayed by references: equal displays have equal texts."""
        refs = sorted({self.baits[match.bait_id].ref for match in group})
        return f"{name} of {' '.join(refs)}"


def _group(matches: Sequence[Match]) -> list[list[Match]]:
    """Group the matches of one sighting into displays.

    Strong matches of different baits are different displays; what reached a phone is one
    display, compatible with every bait that carries the phone; weak ones in the same record
    point at several baits together.
    """
    strong: dict[int, list[Match]] = defaultdict(list)
    weak: dict[tuple[int, int], list[Match]] = defaultdict(list)
    arrivals = [match for match in matches if match.kind == "arrival"]
    arrived = {match.bait_id for match in arrivals}
    exact = {match.bait_id for match in matches if match.level == "exact"} - arrived
    for match in matches:
        if match.bait_id in exact:
            strong[match.bait_id].append(match)
        elif match.bait_id in arrived and match.kind != "arrival":
            arrivals.append(match)
        elif match.bait_id not in arrived:
            weak[match.record_start, match.record_end].append(match)
    groups = list(strong.values()) + list(weak.values())
    return [*groups, arrivals] if arrivals else groups


def _levels(group: Sequence[Match]) -> dict[str, int]:
    levels: dict[str, int] = {}
    for match in group:
        name = FIELD_OF_KIND[match.kind]
        step = 1 if match.form in {"masked", "truncated"} else 2
        levels[name] = max(levels.get(name, 0), step)
    return levels


def _class_of(sighting: Sighting, *, arrived: bool) -> str:
    """Tell how far this display may carry: an arrival is ours, a relayed text is anybody's."""
    given = sighting.channel_class
    if sighting.kind not in {ReportKind.SMS, ReportKind.CALL}:
        # A gateway of ours vouches for arrivals alone, not for what else it passes on.
        return ChannelClass.RELAY if given == ChannelClass.ARRIVAL else given
    ours = given in {ChannelClass.OWN, ChannelClass.ARRIVAL}
    if arrived and ours:
        return ChannelClass.ARRIVAL
    return ChannelClass.ANONYMOUS if given == ChannelClass.ANONYMOUS else ChannelClass.RELAY
