"""What programs send and get: the shapes of the API."""

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from canary.domain.monitors import LEAST_RHYTHM, MOST_RHYTHM
from canary.domain.sightings import ChannelClass
from webhooks.inbound.registry import READERS
from webhooks.reports import ReportKind

LARGEST_PAGE = 200
LONGEST_TEXT = 1_000_000
# Control characters have no place in a name; DEL and C1 are left to those who print it.
LINE = r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$"
NAME = r"^[A-Za-z0-9_-]{1,80}$"
REF = r"^[A-Z]-[A-Z0-9]{1,18}$"
URL = (
    r"^https?://[a-z0-9](?:[a-z0-9.-]{0,200}[a-z0-9])?(?::[1-9][0-9]{0,3})?"
    r"(?:/[!-Z^-~]*)?(?:\?[!-Z^-~]*)?$"
)
# Elements, classes, ids, their descendants and children.
_STEP = (
    r"(?:[a-z][a-z0-9]{0,9}|[.#][A-Za-z][A-Za-z0-9_-]{0,60})"
    r"(?:[.#][A-Za-z][A-Za-z0-9_-]{0,60}){0,3}"
)
SELECTOR = f"^{_STEP}(?: (?:> )?{_STEP}){{0,4}}$"
CURSOR = r"^[1-9][0-9]{0,17}$"


def _read_whole(value: object) -> object:
    """Read 60.0 as 60: JSON knows one kind of number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=LINE)]
Name = Annotated[str, StringConstraints(pattern=NAME)]
Count = Annotated[int, Field(ge=0)]
Rhythm = Annotated[int, Field(ge=60, le=34_560_000), BeforeValidator(_read_whole)]
Header = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,59}: [!-~](?:[ -~]{0,3000}[!-~])?$"),
]
Charset = Literal["utf-8", "gb18030", "gbk", "gb2312", "big5", "shift_jis", "euc-jp", "euc-kr"]
Selector = Annotated[str, StringConstraints(max_length=200, pattern=SELECTOR)]
PostState = Literal["waiting", "done", "dead"]

Item = TypeVar("Item")


class Model(BaseModel):
    """Base of all shapes: nothing unknown, nothing coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, from_attributes=True)


class Query(BaseModel):
    """Base of what stands behind the question mark: text, read as what it must be."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PageQuery(Query):
    """Which part of a list is wanted."""

    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 50
    cursor: Annotated[str, StringConstraints(pattern=CURSOR)] | None = None


class InboxQuery(PageQuery):
    """Which posts are wanted."""

    reporter: Name | None = None
    state: PostState | None = None


class SightingQuery(PageQuery):
    """Which sightings are wanted."""

    reporter: Name | None = None
    kind: ReportKind | None = None
    matched: Literal["true", "false"] | None = None


class PageOf(Model, Generic[Item]):
    """One page of a list, newest first; `next` is the cursor of the following one."""

    items: list[Item]
    next: str | None


class Reporter(Model):
    """Who posts to us; `posts` counts the last 24 hours."""

    name: str
    format: str
    channel_class: str
    is_active: bool
    is_silent: bool
    last_post_at: datetime | None
    rhythm_seconds: int | None
    posts: Count
    dead: Count


class Reporters(Model):
    """Every reporter by name."""

    items: list[Reporter]


class NewReporter(Model):
    """A reporter to add. A secret is drawn, or a secret path where its sender cannot sign.

    It is missed after a day without a post, unless `rhythm_seconds` says otherwise.
    """

    name: Name
    format: Annotated[str, StringConstraints(pattern=f"^(?:{'|'.join(READERS)})$")]
    channel_class: Annotated[ChannelClass, Field(strict=False)]
    secret_path: bool = False
    source: Line | None = None
    rhythm_seconds: Rhythm | None = 86_400


class ReporterSecrets(Model):
    """Where a new reporter posts and what proves it; shown once."""

    name: str
    url: str
    secret: str | None


class ReporterChange(Model):
    """What may be changed; what is left out stays."""

    is_active: bool | None = None
    rhythm_seconds: Rhythm | None = None


class NewReport(Model):
    """What a person saw, where, and how it was lawfully obtained."""

    text: Annotated[
        str, StringConstraints(min_length=1, max_length=LONGEST_TEXT, pattern=r"[^\s\x00-\x20]")
    ]
    venue: Line
    basis: Line


class Taken(Model):
    """A report was stored; what becomes of it is told at `url`."""

    post: str
    url: str


class Post(Model):
    """A stored post and what became of it."""

    ref: str
    reporter: str
    received_at: datetime
    method: str
    size: Count
    sha256: str
    grade: str
    state: PostState
    attempts: Count
    failure: str | None
    finished_at: datetime | None
    sightings: list[str]


class Match(Model):
    """An identifier of a bait in a sighting; the bait's values are not told here."""

    bait: str
    kind: str
    form: str
    level: str
    start: int
    end: int
    rule: str
    chance: float


class Sighting(Model):
    """What was seen, when by our clock, and where; without its text."""

    ref: str
    post: str
    reporter: str
    kind: str
    channel_class: str
    grade: str
    venue: str
    seen_at: datetime
    claimed_at: datetime | None
    basis: str
    record_count: Count
    incident_id: int | None
    filed_as: str | None
    matches: list[Match]


class NewConfirmation(Model):
    """Baits that are in place: of a batch, limited to sources and to numbers where given."""

    batch: Line
    sources: Annotated[list[Line], Field(max_length=1000)] = []
    numbers: Annotated[list[Line], Field(min_length=1, max_length=1000)] | None = None
    confirmed_by: Line | None = None


class Confirmation(Model):
    """How many were confirmed by this call, and how many had been before."""

    confirmed: Count
    already: Count


class Monitor(Model):
    """A page or feed that is watched, and how that does; its address is not told."""

    name: str
    kind: str
    channel_class: str
    is_active: bool
    state: str
    rhythm_minutes: Count
    venue: str
    failures: Count
    last_checked_at: datetime | None
    last_changed_at: datetime | None
    last_error: str | None
    due_at: datetime
    sightings: Count


class Monitors(Model):
    """Every monitor by name."""

    items: list[Monitor]


class NewMonitor(Model):
    """A page or feed to watch. `basis` says how it may lawfully be read.

    `headers` are lines such as `Cookie: a=b`; `selector` names the listing, or each of its cards;
    `from_tip` says that somebody sent us there; `robots_override` is the reason for reading it
    against its robots.txt.
    """

    name: Name
    kind: Literal["page", "feed"] = "page"
    url: Annotated[str, StringConstraints(min_length=8, max_length=2000, pattern=URL)]
    rhythm_minutes: Annotated[
        int, Field(ge=LEAST_RHYTHM, le=MOST_RHYTHM), BeforeValidator(_read_whole)
    ] = 30
    basis: Line
    selector: Selector | None = None
    charset: Charset | None = None
    venue: Line | None = None
    robots_override: Line | None = None
    from_tip: bool = False
    headers: Annotated[list[Header], Field(max_length=10)] = []


class Look(Model):
    """What became of one look."""

    state: str
    status: int | None
    size: Count
    added: Count
    removed: Count
    problem: str | None


class FieldProblem(Model):
    """One thing wrong with what was sent: where, and what; what was sent is not repeated."""

    pointer: str
    detail: str


class Problem(Model):
    """An error, RFC 9457."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldProblem] | None = None


class PostPage(PageOf[Post]):
    """Stored posts."""


class SightingPage(PageOf[Sighting]):
    """Sightings."""
