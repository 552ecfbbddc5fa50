"""Show one bait in clear to a named person, who from then on is among those who knew it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.errors import Forbidden, Invalid, NotFound
from canary.domain.identifiers import BaitValues
from canary.services.access import Role, Viewer
from canary.services.audit import record
from canary.services.pages_common import read_values
from canary.services.stale import mark_baits_stale
from canary.storage.bulk import add_exposures
from canary.storage.tables import Bait
from canary.storage.vault import SealBroken, Vault

REVEALERS = frozenset({Role.SEEDER, Role.ANALYST})
LONGEST_REASON = 500


def reveal_bait(
    session: Session, vault: Vault, ref: str, *, viewer: Viewer, reason: str, now: datetime
) -> BaitValues:
    """Return a bait's values; the entry in the log and the exposure are in the same transaction.

    Raises Forbidden for other roles, Invalid without a reason, NotFound, SealBroken.
    """
    if viewer.role not in REVEALERS:
        msg = "this role does not see baits in clear"
        raise Forbidden(msg)
    reason = reason.strip()
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise Invalid("a reveal needs a reason", field="reason", mend="say why in a sentence")
    bait = session.scalar(select(Bait).where(Bait.ref == ref))
    if bait is None:
        msg = f"there is no bait {ref}"
        raise NotFound(msg)
    values = read_values(vault, bait.ref, bait.sealed_values)
    if values is None:
        msg = "the bait's values do not open"
        raise SealBroken(msg)
    seen = {"bait_id": bait.id, "reader": viewer.name, "origin": "reveal", "since": now}
    add_exposures(session, [seen])
    mark_baits_stale(session, [bait.id])
    record(session, viewer.name, "bait.revealed", f"bait/{ref}", now, reason=reason)
    return values
