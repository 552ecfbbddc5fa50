"""Monitors for programs: which pages are watched, how that does, a look now."""

from dataclasses import asdict

from canary.services.monitors import checking, keeping
from canary.services.pages.monitors import MonitorLine, list_monitors
from canary.services.people.keys import Scope
from canary.web.api import models
from canary.web.api.operations import Call, Operation
from canary.web.catalog import mark


def _list(call: Call) -> models.Monitors:
    with call.parts.database.read() as session:
        lines = list_monitors(session)
    return models.Monitors(items=[_monitor(line) for line in lines])


def _add(call: Call) -> models.Monitor:
    assert isinstance(call.body, models.NewMonitor)
    said, parts = call.body, call.parts
    wishes = keeping.MonitorWishes(
        kind=said.kind,
        url=said.url,
        rhythm_minutes=said.rhythm_minutes,
        basis=said.basis,
        selector=said.selector if said.kind == "page" else None,
        charset=said.charset,
        venue=said.venue,
        robots_override=said.robots_override,
        headers=keeping.read_headers("\n".join(said.headers)),
    )
    with parts.database.write() as session:
        keeping.add_monitor(
            session,
            parts.vault,
            parts.lookout.fetcher,
            said.name,
            wishes,
            from_tip=said.from_tip,
            actor=call.caller.actor,
            now=parts.clock(),
        )
    with parts.database.read() as session:
        return next(_monitor(one) for one in list_monitors(session) if one.name == said.name)


def _check(call: Call) -> models.Look:
    sight = checking.check_now(call.parts.lookout, call.path["name"])
    return models.Look(
        state=sight.state,
        status=sight.status,
        size=sight.size,
        added=sight.added,
        removed=sight.removed,
        problem=sight.problem,
    )


def _monitor(line: MonitorLine) -> models.Monitor:
    return models.Monitor(**asdict(line))


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="list_monitors",
        method="GET",
        path="/monitors",
        summary=mark("List the monitors and how they do"),
        scope=Scope.MONITORS_READ,
        answer=models.Monitors,
        handler=_list,
    ),
    Operation(
        name="add_monitor",
        method="POST",
        path="/monitors",
        summary=mark("Watch a page or a feed from now on; its reporter is made with it"),
        scope=Scope.MONITORS_WRITE,
        body=models.NewMonitor,
        answer=models.Monitor,
        status=201,
        refusals=(409,),
        handler=_add,
    ),
    Operation(
        name="check_monitor",
        method="POST",
        path="/monitors/{name}/check",
        summary=mark("Look now, and tell what was seen; what is new is taken in"),
        scope=Scope.MONITORS_WRITE,
        answer=models.Look,
        refusals=(409,),
        handler=_check,
    ),
)
