"""Planting for programs: the partner that took a bait says so."""

from canary.domain.errors import Flaw, Invalid
from canary.services.baits.confirming import confirm_planting, find_baits
from canary.services.baits.planting import get_batch
from canary.services.people.keys import Scope
from canary.services.stock.imports import TableRow
from canary.web.api import models
from canary.web.api.operations import Call, Operation
from canary.web.catalog import mark


def _confirm(call: Call) -> models.Confirmation:
    assert isinstance(call.body, models.NewConfirmation)
    said, parts = call.body, call.parts
    now = parts.clock()
    rows = [
        TableRow(number=place, cells={"number": number})
        for place, number in enumerate(said.numbers or ())
    ]
    with parts.database.write() as session:
        get_batch(session, said.batch, lock=True)
        try:
            found = None if said.numbers is None else find_baits(session, parts.vault, rows)
        except Invalid as error:
            raise Invalid(flaws=[_point(flaw) for flaw in error.flaws]) from error
        result = confirm_planting(
            session,
            batch_name=said.batch,
            sources=said.sources,
            bait_ids=found,
            confirmed_by=said.confirmed_by or call.caller.actor,
            at=now,
            actor=call.caller.actor,
            now=now,
        )
    return models.Confirmation(confirmed=result.confirmed, already=result.already)


def _point(flaw: Flaw) -> Flaw:
    field = "numbers" if flaw.row is None else f"numbers/{flaw.row}"
    return Flaw(problem=flaw.problem, mend=flaw.mend, field=field)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="confirm_placements",
        method="POST",
        path="/placements/confirm",
        summary=mark(
            "Note that baits are in place, now: all of a batch, of some sources, or by number"
        ),
        scope=Scope.BAITS_WRITE,
        body=models.NewConfirmation,
        answer=models.Confirmation,
        refusals=(404,),
        handler=_confirm,
    ),
)
