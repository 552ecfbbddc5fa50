"""The form that plans a batch, read into an order."""

from dataclasses import dataclass, field

from flask import request

from canary.domain.errors import Invalid
from canary.services.baits import ordering
from canary.services.baits.orders import PLAN_OPTIONAL, PLAN_REQUIRED, SeedOrder, read_plan
from canary.services.exports import write_csv
from canary.services.stock.imports import read_table_bytes
from canary.web.forms import read_number, read_text
from canary.web.parts import get_parts
from seeds.carriers import load_carriers

SCOPES = ("uncovered", "all", "some", "plan")
COLUMNS = (*PLAN_REQUIRED, *PLAN_OPTIONAL)
MOST_EACH = 1000
# A form comes back whole with the answer, the plan in it.
MOST_CHARACTERS = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanForm:
    """A plan as it was typed. `controls` in percent; `plan` is a table as in plan.csv."""

    name: str = ""
    scope: str = "uncovered"
    codes: str = ""
    plan: str = ""
    per_source: int = 4
    local: int = 0
    controls: int = 5
    days: int = 1
    carrier: str = ""
    carriers: list[str] = field(default_factory=lambda: list(load_carriers()))


def read_plan_form() -> PlanForm:
    """Read the form as it was sent, a plan that came as a file written out."""
    scope, carrier = read_text("scope"), read_text("carrier").upper()
    return PlanForm(
        name=read_text("name"),
        scope=scope if scope in SCOPES else "some",
        codes=request.form.get("codes", "")[:200_000],
        plan=request.form.get("plan", ""),
        per_source=read_number("per_source") or 0,
        local=max(read_number("local") or 0, 0),
        controls=min(max(read_number("controls") or 0, 0), 50),
        days=min(max(read_number("days") or 1, 1), 365),
        carrier=carrier[:20],
    )


def read_plan_file() -> str:
    """Return the plan that was sent as a file, as CSV; empty when there is none. Raises Invalid."""
    upload = request.files.get("file")
    if not upload or not upload.filename:
        return ""
    rows = read_table_bytes(
        upload.read(), upload.filename, required=PLAN_REQUIRED, optional=PLAN_OPTIONAL
    )
    cells = [{name: row.cells.get(name, "") for name in COLUMNS} for row in rows]
    text = write_csv(COLUMNS, cells).decode("utf-8-sig").replace("\r\n", "\n")
    _check_length(text)
    return text


def to_order(form: PlanForm) -> SeedOrder:
    """Return what a form asks for. Raises Invalid with every flaw."""
    if form.scope == "plan":
        return _to_planned_order(form)
    with get_parts().database.read() as session:
        if form.scope == "uncovered":
            codes = tuple(ordering.list_uncovered(session))
        else:
            codes = ordering.read_codes(form.codes) if form.scope == "some" else ()
        ordering.check_codes(session, codes)
    if not 1 <= form.per_source <= MOST_EACH:
        raise Invalid("this is too many or too few", field="per_source")
    if form.scope != "all" and not codes:
        raise Invalid("say which sources", field="sources")
    return SeedOrder(
        batch=form.name,
        sources=codes,
        per_source=form.per_source,
        carrier=form.carrier or None,
        controls=form.controls / 100,
        days=form.days,
        local=form.local,
    )


def _to_planned_order(form: PlanForm) -> SeedOrder:
    _check_length(form.plan)
    rows = read_table_bytes(
        form.plan.encode("utf-8", "replace"),
        "plan.csv",
        required=PLAN_REQUIRED,
        optional=PLAN_OPTIONAL,
    )
    return SeedOrder(
        batch=form.name,
        carrier=form.carrier or None,
        controls=form.controls / 100,
        days=form.days,
        rows=read_plan(rows),
    )


def _check_length(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise Invalid("this is too large for the page; use the command", field="plan")
