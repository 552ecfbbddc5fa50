"""Show a kept version of an attribution, and make it again from the world it was made from."""

import gzip
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.attribution.answer import RULE_VERSION
from canary.attribution.infer import attribute
from canary.attribution.reading import read_world
from canary.domain.errors import Conflict, NotFound
from canary.storage.tables import AttributionRecord
from canary.storage.vault import SealBroken, Vault, sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One version of an attribution as it was kept; `world` is what it was made from."""

    incident_id: int
    revision: int
    created_at: datetime
    rule_version: str
    result: dict[str, Any]
    world: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A kept version made anew: `is_same` when every figure is equal to the last bit."""

    kept: Kept
    result: dict[str, Any]
    is_same: bool


def find_record(
    session: Session, incident_id: int, revision: int | None = None
) -> AttributionRecord:
    """Return one version of an incident's attribution, the newest by default. Raises NotFound."""
    query = select(AttributionRecord).where(AttributionRecord.incident_id == incident_id)
    if revision is not None:
        query = query.where(AttributionRecord.revision == revision)
    found = session.scalar(query.order_by(AttributionRecord.revision.desc()).limit(1))
    if found is None:
        which = "" if revision is None else f" in revision {revision}"
        msg = f"there is no attribution of incident {incident_id}{which}"
        raise NotFound(msg)
    return found


def load_kept(
    session: Session, vault: Vault, incident_id: int, revision: int | None = None
) -> Kept:
    """Open a kept version. Raises NotFound, SealBroken when its world is not what was kept."""
    row = find_record(session, incident_id, revision)
    place = f"attributions.sealed_world|{row.incident_id}/{row.revision}"
    world = gzip.decompress(vault.unseal(place, row.sealed_world))
    if sha256(world) != row.world_sha256:
        msg = "the kept world is not the one that was judged"
        raise SealBroken(msg)
    return Kept(
        incident_id=row.incident_id,
        revision=row.revision,
        created_at=row.created_at,
        rule_version=row.rule_version,
        result=row.result,
        world=json.loads(world),
    )


def repeat(kept: Kept) -> Repeat:
    """Judge a kept world again. Raises Conflict when other rules judged it then."""
    if kept.rule_version != RULE_VERSION:
        msg = (
            f"revision {kept.revision} was made by {kept.rule_version}, this is {RULE_VERSION}; "
            "use the release that made it"
        )
        raise Conflict(msg)
    # Through JSON, as the kept one went: lists for tuples, nothing else changes.
    again = json.loads(json.dumps(attribute(read_world(kept.world)).to_json()))
    stored = {name: value for name, value in kept.result.items() if name != "explanations"}
    return Repeat(kept=kept, result=again, is_same=again == stored)
