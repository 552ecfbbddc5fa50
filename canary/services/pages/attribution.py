"""The page of the attribution: its parameters, and what would change the open verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.attribution.answer import RULE_VERSION
from canary.domain.incidents import IncidentState
from canary.services.verdicts.parameters import Parameter, estimate_parameters
from canary.storage.tables import AttributionRecord, Incident

SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityLine:
    """How an open verdict takes more coincidence: `changes_at` times as much, if any tried."""

    incident_id: int
    verdict: str
    factor: float
    posterior: float
    changes_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionPage:
    """Everything the page shows."""

    rule_version: str
    parameters: tuple[Parameter, ...]
    lines: tuple[SensitivityLine, ...]


def load_attribution_page(session: Session, now: datetime) -> AttributionPage:
    """Return what an attribution made now would rest on, and how firm the open verdicts are."""
    rows = session.execute(
        select(Incident.id, Incident.verdict, AttributionRecord.result)
        .join(
            AttributionRecord,
            (AttributionRecord.incident_id == Incident.id)
            & (AttributionRecord.revision == Incident.revision),
        )
        .where(Incident.state == IncidentState.OPEN)
        .order_by(Incident.last_sighting_at.desc(), Incident.id.desc())
        .limit(SHOWN)
    )
    lines = [_line_of(row.id, row.verdict, row.result) for row in rows]
    return AttributionPage(
        rule_version=RULE_VERSION,
        parameters=estimate_parameters(session, now),
        lines=tuple(line for line in lines if line is not None),
    )


def _line_of(incident_id: int, verdict: str, result: Mapping[str, Any]) -> SensitivityLine | None:
    details = result.get("details")
    found = details.get("sensitivity") if isinstance(details, dict) else None
    if not isinstance(found, dict):
        return None
    return SensitivityLine(
        incident_id=incident_id,
        verdict=verdict,
        factor=found["factor"],
        posterior=found["posterior"],
        changes_at=found["changes_at"],
    )
