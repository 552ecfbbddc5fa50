"""The queue's search line: `verdict:probable source:HZ-01 assignee:me`, read, applied, written."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased

from canary.domain.errors import Invalid
from canary.domain.incidents import IncidentState
from canary.domain.verdicts import Verdict
from canary.services.access import Viewer
from canary.services.viewing import list_below
from canary.storage.tables import Bait, Incident, Match, Reporter, Sighting, Source, User

LONGEST = 300
MOST_DAYS = 3660
EVERY = "all"

_STATES = (*(state.value for state in IncidentState), EVERY)
_SNOOZES = ("no", "yes", EVERY)
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_DAYS = re.compile(r"(\d{1,4})d")
_PIECE = re.compile(r'([a-z]{2,12})[:：](?:"([^"]*)"|(\S*))|"([^"]*)"|(\S+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """What the queue is narrowed to; empty means no limit.

    `assignee` may be `me` or `none`; `since` and `before` are `YYYY-MM-DD` or `7d`. `snoozed`
    hides (`no`), shows alone (`yes`) or does not care (`all`).
    """

    state: str = "open"
    verdict: str = ""
    source: str = ""
    under: str = ""
    assignee: str = ""
    snoozed: str = "no"
    kind: str = ""
    venue: str = ""
    reporter: str = ""
    bait: str = ""
    since: str = ""
    before: str = ""
    words: str = ""

    def but(self, **changes: str) -> "IncidentFilter":
        """Return the filter with some of it changed."""
        return replace(self, **changes)

    def to_query(self) -> str:
        """Write the filter as a search line; what is so by default is left out."""
        pieces = [
            f"{field.name}:{_quote(value)}"
            for field in fields(self)
            if field.name != "words" and (value := getattr(self, field.name)) != field.default
        ]
        return " ".join([*pieces, *([self.words] if self.words else [])])


KEYS = tuple(field.name for field in fields(IncidentFilter) if field.name != "words")


def read_query(line: str) -> IncidentFilter:
    """Read a search line. Raises Invalid for a key or a value that means nothing."""
    if len(line) > LONGEST:
        raise Invalid("the search is too long", mend=f"at most {LONGEST} characters")
    given: dict[str, str] = {}
    words: list[str] = []
    for found in _PIECE.finditer(line):
        key, quoted, plain, phrase, word = found.groups()
        if key is None:
            words.append(phrase if phrase is not None else word)
        elif key not in KEYS:
            raise Invalid("there is no such key", field=key, mend=", ".join(KEYS))
        else:
            given[key] = quoted if quoted is not None else plain
    wanted = IncidentFilter(**given, words=" ".join(words))
    check_filter(wanted)
    return replace(wanted, state=wanted.state or EVERY)


def limit_queue(
    wanted: IncidentFilter, viewer: Viewer, now: datetime, zone: tzinfo
) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter. Raises Invalid for a value that means nothing."""
    check_filter(wanted)
    conditions = [
        condition(value)
        for name, condition in _CONDITIONS.items()
        if (value := getattr(wanted, name))
    ]
    if wanted.state not in {"", EVERY}:
        conditions.append(Incident.state == wanted.state)
    if wanted.assignee:
        conditions.append(_limit_assignee(wanted.assignee, viewer))
    if wanted.since:
        conditions.append(Incident.last_sighting_at >= _read_day(wanted.since, now, zone))
    if wanted.before:
        conditions.append(Incident.last_sighting_at < _read_day(wanted.before, now, zone))
    if wanted.snoozed == "yes":
        conditions.append(is_snoozed(now))
    elif wanted.snoozed == "no" and wanted.state == IncidentState.OPEN:
        conditions.append(~is_snoozed(now))
    return conditions


def is_snoozed(now: datetime) -> ColumnElement[bool]:
    """Return the condition that an incident sleeps: no new evidence, and its time not over."""
    return and_(
        func.coalesce(Incident.snoozed_version, -1) == Incident.evidence_version,
        or_(Incident.snoozed_until.is_(None), Incident.snoozed_until > now),
    )


def check_filter(wanted: IncidentFilter) -> None:
    """Raise Invalid when a value of the filter means nothing."""
    _check_one("state", wanted.state, ("", *_STATES))
    _check_one("verdict", wanted.verdict, ("", *(verdict.value for verdict in Verdict)))
    _check_one("snoozed", wanted.snoozed, _SNOOZES)
    for name in ("since", "before"):
        value = getattr(wanted, name)
        if value:
            _read_day(value, _SOME_DAY, UTC)


def _check_one(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise Invalid(
            "there is no such value", field=name, mend=", ".join(one for one in allowed if one)
        )


def _read_day(text: str, now: datetime, zone: tzinfo) -> datetime:
    days = _DAYS.fullmatch(text)
    if days and text.isascii() and int(days[1]) <= MOST_DAYS:
        return now - timedelta(days=int(days[1]))
    try:
        day = date.fromisoformat(text)
        return datetime.combine(day, datetime.min.time(), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("this is not a day", field="since", mend="2026-11-20, 7d") from error


def _limit_assignee(name: str, viewer: Viewer) -> ColumnElement[bool]:
    if name == "none":
        return Incident.assignee_id.is_(None)
    if name == "me":
        return Incident.assignee_id == viewer.user_id
    return Incident.assignee.has(User.name == name)


def _limit_words(text: str) -> ColumnElement[bool]:
    number = text.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 12:
        return Incident.id == int(number)
    return and_(
        *(
            Incident.scope_source.has(
                or_(
                    Source.name.icontains(word, autoescape=True),
                    Source.code.icontains(word, autoescape=True),
                )
            )
            for word in text.split()[:8]
        )
    )


def _limit_under(code: str) -> ColumnElement[bool]:
    return Incident.scope_source_id.in_(list_below(Source.code == code))


def _limit_sightings(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return Incident.id.in_(
        select(Sighting.incident_id).where(condition, Sighting.incident_id.is_not(None))
    )


def _limit_venue(part: str) -> ColumnElement[bool]:
    # There are few venues among many sightings: the index is walked from each to the next.
    known = select(func.min(Sighting.venue).label("venue")).cte("venues", recursive=True)
    later = aliased(Sighting)
    following = select(func.min(later.venue)).where(later.venue > known.c.venue).scalar_subquery()
    known = known.union_all(select(following).where(known.c.venue.is_not(None)))
    wanted = select(known.c.venue).where(known.c.venue.icontains(part, autoescape=True))
    return _limit_sightings(Sighting.venue.in_(wanted))


def _limit_bait(ref: str) -> ColumnElement[bool]:
    seen = select(Match.sighting_id).join(Bait, Bait.id == Match.bait_id)
    return _limit_sightings(Sighting.id.in_(seen.where(Bait.ref == ref.upper())))


_CONDITIONS: Mapping[str, Callable[[str], ColumnElement[bool]]] = {
    "verdict": lambda code: Incident.verdict == code,
    "source": lambda code: Incident.scope_source.has(Source.code == code),
    "under": _limit_under,
    "kind": lambda code: _limit_sightings(Sighting.kind == code),
    "venue": _limit_venue,
    "reporter": lambda name: _limit_sightings(Sighting.reporter.has(Reporter.name == name)),
    "bait": _limit_bait,
    "words": _limit_words,
}


def _quote(value: str) -> str:
    return f'"{value}"' if re.search(r"\s", value) else value
