"""Reporters, reports, the inbox and sightings for programs."""

from dataclasses import asdict
from typing import Any

from canary.services.inbox import intake, reporters
from canary.services.inbox.again import try_again
from canary.services.inbox.manual import HandReport, report_by_hand
from canary.services.pages import feeds
from canary.services.pages.feeds import PostEntry, SightingEntry, Slice
from canary.services.pages.operation import ReporterLine, list_reporters
from canary.services.people.keys import Scope
from canary.web.api import models
from canary.web.api.operations import Call, Operation
from canary.web.catalog import mark
from webhooks.inbound.rereading import read_again
from webhooks.paths import draw_path
from webhooks.signing import new_secret


def _list_reporters(call: Call) -> models.Reporters:
    with call.parts.database.read() as session:
        lines = list_reporters(session, call.parts.clock())
    return models.Reporters(items=[_reporter(line) for line in lines])


def _add_reporter(call: Call) -> models.ReporterSecrets:
    assert isinstance(call.body, models.NewReporter)
    wanted, parts = call.body, call.parts
    path = draw_path() if wanted.secret_path else None
    secret = None if path else new_secret()
    with parts.database.write() as session:
        intake.add_reporter(
            session,
            parts.vault,
            intake.NewReporter(
                name=wanted.name,
                format=wanted.format,
                channel_class=wanted.channel_class,
                secrets=intake.Secrets(signing=(secret,) if secret else (), path=path),
                source=wanted.source,
                rhythm_seconds=wanted.rhythm_seconds,
            ),
            actor=call.caller.actor,
            now=parts.clock(),
        )
    url = f"{parts.public_url}/hooks/{wanted.name}" + (f"/{path}" if path else "")
    return models.ReporterSecrets(name=wanted.name, url=url, secret=secret)


def _show_reporter(call: Call) -> models.Reporter:
    with call.parts.database.read() as session:
        return _reporter(feeds.get_reporter_line(session, call.path["name"], call.parts.clock()))


def _change_reporter(call: Call) -> models.Reporter:
    assert isinstance(call.body, models.ReporterChange)
    name, wanted = call.path["name"], call.body
    more: dict[str, Any] = {"actor": call.caller.actor, "now": call.parts.clock()}
    with call.parts.database.write() as session:
        if wanted.is_active is not None:
            reporters.switch_reporter(session, name, active=wanted.is_active, **more)
        if "rhythm_seconds" in wanted.model_fields_set:
            reporters.set_rhythm(session, name, wanted.rhythm_seconds, **more)
    return _show_reporter(call)


def _rotate_secret(call: Call) -> models.ReporterSecrets:
    name, secret, parts = call.path["name"], new_secret(), call.parts
    with parts.database.write() as session:
        reporters.rotate_secret(
            session, parts.vault, name, secret, actor=call.caller.actor, now=parts.clock()
        )
    return models.ReporterSecrets(name=name, url=f"{parts.public_url}/hooks/{name}", secret=secret)


def _drop_secret(call: Call) -> models.Reporter:
    parts = call.parts
    with parts.database.write() as session:
        reporters.drop_old_secret(
            session,
            parts.vault,
            call.path["name"],
            actor=call.caller.actor,
            now=parts.clock(),
        )
    return _show_reporter(call)


def _report(call: Call) -> models.Taken:
    assert isinstance(call.body, models.NewReport)
    parts, said = call.parts, call.body
    given = HandReport(
        body=said.text.encode(), venue=said.venue, basis=said.basis, actor=call.caller.actor
    )
    ref = report_by_hand(parts.database, parts.vault, given, now=parts.clock())
    return models.Taken(post=ref, url=f"{parts.public_url}/api/v1/inbox/{ref}")


def _list_posts(call: Call) -> models.PostPage:
    assert isinstance(call.query, models.InboxQuery)
    wanted = call.query
    with call.parts.database.read() as session:
        found = feeds.list_posts_after(
            session, _slice(wanted), reporter=wanted.reporter, state=wanted.state
        )
    return models.PostPage(
        items=[_post(entry) for entry in found[: wanted.limit]], next=_next(found, wanted.limit)
    )


def _show_post(call: Call) -> models.Post:
    with call.parts.database.read() as session:
        return _post(feeds.get_post(session, call.path["ref"]))


def _try_again(call: Call) -> models.Post:
    parts, ref = call.parts, call.path["ref"]
    try_again(
        parts.database,
        parts.vault,
        read_again,
        ref,
        actor=call.caller.actor,
        now=parts.clock(),
    )
    return _show_post(call)


def _list_sightings(call: Call) -> models.SightingPage:
    assert isinstance(call.query, models.SightingQuery)
    wanted = call.query
    with call.parts.database.read() as session:
        found = feeds.list_sightings_after(
            session,
            _slice(wanted),
            reporter=wanted.reporter,
            kind=wanted.kind,
            matched=None if wanted.matched is None else wanted.matched == "true",
        )
    return models.SightingPage(
        items=[_sighting(entry) for entry in found[: wanted.limit]],
        next=_next(found, wanted.limit),
    )


def _show_sighting(call: Call) -> models.Sighting:
    with call.parts.database.read() as session:
        return _sighting(feeds.get_sighting(session, call.path["ref"]))


def _slice(wanted: models.PageQuery) -> Slice:
    # One row more than asked for tells whether there is a following page.
    return Slice(limit=wanted.limit + 1, before=int(wanted.cursor) if wanted.cursor else None)


def _next(found: list[PostEntry] | list[SightingEntry], limit: int) -> str | None:
    return str(found[limit - 1].id) if len(found) > limit else None


def _reporter(line: ReporterLine) -> models.Reporter:
    return models.Reporter(
        name=line.name,
        format=line.format,
        channel_class=line.channel_class,
        is_active=line.is_active,
        is_silent=line.is_silent,
        last_post_at=line.last_post_at,
        rhythm_seconds=int(line.rhythm.total_seconds()) if line.rhythm else None,
        posts=line.posts,
        dead=line.dead,
    )


def _post(entry: PostEntry) -> models.Post:
    said = asdict(entry)
    del said["id"]
    return models.Post(**{**said, "sightings": list(entry.sightings)})


def _sighting(entry: SightingEntry) -> models.Sighting:
    said = asdict(entry)
    del said["id"]
    matches = [models.Match(**asdict(match)) for match in entry.matches]
    return models.Sighting(**{**said, "matches": matches})


OPERATIONS = (
    Operation(
        name="list_reporters",
        method="GET",
        path="/reporters",
        summary=mark("List the reporters"),
        scope=Scope.REPORTERS_READ,
        answer=models.Reporters,
        handler=_list_reporters,
    ),
    Operation(
        name="add_reporter",
        method="POST",
        path="/reporters",
        summary=mark("Add a reporter; what proves it is shown once"),
        scope=Scope.REPORTERS_WRITE,
        body=models.NewReporter,
        answer=models.ReporterSecrets,
        status=201,
        refusals=(404, 409),
        handler=_add_reporter,
    ),
    Operation(
        name="show_reporter",
        method="GET",
        path="/reporters/{name}",
        summary=mark("Show one reporter"),
        scope=Scope.REPORTERS_READ,
        answer=models.Reporter,
        handler=_show_reporter,
    ),
    Operation(
        name="change_reporter",
        method="PATCH",
        path="/reporters/{name}",
        summary=mark("Switch a reporter on or off, set its rhythm"),
        scope=Scope.REPORTERS_WRITE,
        body=models.ReporterChange,
        answer=models.Reporter,
        handler=_change_reporter,
    ),
    Operation(
        name="rotate_secret",
        method="POST",
        path="/reporters/{name}/secrets",
        summary=mark("Add a second live secret, shown once; both are taken"),
        scope=Scope.REPORTERS_WRITE,
        answer=models.ReporterSecrets,
        status=201,
        refusals=(409,),
        handler=_rotate_secret,
    ),
    Operation(
        name="drop_old_secret",
        method="DELETE",
        path="/reporters/{name}/secrets",
        summary=mark("Drop the old secret; the newest stays"),
        scope=Scope.REPORTERS_WRITE,
        answer=models.Reporter,
        refusals=(409,),
        handler=_drop_secret,
    ),
    Operation(
        name="report",
        method="POST",
        path="/reports",
        summary=mark("Report what a person saw; the same text from the same venue is taken once"),
        scope=Scope.REPORTS_WRITE,
        body=models.NewReport,
        answer=models.Taken,
        status=202,
        refusals=(429,),
        handler=_report,
    ),
    Operation(
        name="list_posts",
        method="GET",
        path="/inbox",
        summary=mark("List stored posts, newest first"),
        scope=Scope.INBOX_READ,
        query=models.InboxQuery,
        answer=models.PostPage,
        refusals=(404,),
        handler=_list_posts,
    ),
    Operation(
        name="show_post",
        method="GET",
        path="/inbox/{ref}",
        summary=mark("Tell what became of a post"),
        scope=Scope.INBOX_READ,
        answer=models.Post,
        handler=_show_post,
    ),
    Operation(
        name="try_again",
        method="POST",
        path="/inbox/{ref}/again",
        summary=mark("Give a dead letter another try"),
        scope=Scope.INBOX_WRITE,
        answer=models.Post,
        status=202,
        refusals=(409,),
        handler=_try_again,
    ),
    Operation(
        name="list_sightings",
        method="GET",
        path="/sightings",
        summary=mark("List sightings without their text, newest first"),
        scope=Scope.SIGHTINGS_READ,
        query=models.SightingQuery,
        answer=models.SightingPage,
        refusals=(404,),
        handler=_list_sightings,
    ),
    Operation(
        name="show_sighting",
        method="GET",
        path="/sightings/{ref}",
        summary=mark("Show one sighting without its text"),
        scope=Scope.SIGHTINGS_READ,
        answer=models.Sighting,
        handler=_show_sighting,
    ),
)
