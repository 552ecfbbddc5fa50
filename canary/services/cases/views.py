"""Searches of the queue kept under a name."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, false, func, or_, select
from sqlalchemy.orm import Session

from canary.domain.errors import Invalid, NotFound
from canary.services.access import Role, Viewer
from canary.services.cases.queue_search import read_query
from canary.storage.tables import SavedView, User

NAME_LENGTH = 60
MOST_EACH = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A kept search; `owner` is empty for one's own."""

    view_id: int
    name: str
    query: str
    is_shared: bool
    owner: str


def list_views(session: Session, viewer: Viewer) -> list[View]:
    """List one's own searches, then those that others share.

    A partner gets none of the others': their names tell of cases outside its branch.
    """
    shared = SavedView.is_shared if viewer.role != Role.PARTNER else false()
    rows = session.execute(
        select(SavedView, User.name)
        .join(User, User.id == SavedView.user_id)
        .where(or_(SavedView.user_id == viewer.user_id, shared))
        .order_by(SavedView.user_id != viewer.user_id, SavedView.name, SavedView.id)
        .limit(3 * MOST_EACH)
    )
    return [
        View(
            view_id=row.id,
            name=row.name,
            query=row.query,
            is_shared=row.is_shared,
            owner="" if row.user_id == viewer.user_id else owner,
        )
        for row, owner in rows
    ]


def keep_view(
    session: Session, viewer: Viewer, *, name: str, query: str, is_shared: bool, now: datetime
) -> None:
    """Keep a search; one of the same name is replaced. Raises Invalid.

    Only who decides about incidents may share a search.
    """
    name = name.strip()
    if not (name and name.isprintable() and len(name) <= NAME_LENGTH):
        raise Invalid("give the view a short name", field="name")
    line = read_query(query).to_query()
    shared = is_shared and viewer.decides
    own = (SavedView.user_id == viewer.user_id, SavedView.name == name)
    row = session.scalar(select(SavedView).where(*own))
    if row is not None:
        row.query, row.is_shared = line, shared
        return
    count = select(func.count(SavedView.id)).where(SavedView.user_id == viewer.user_id)
    if (session.scalar(count) or 0) >= MOST_EACH:
        raise Invalid("there are too many views; remove one first", field="name")
    session.add(
        SavedView(user_id=viewer.user_id, name=name, query=line, is_shared=shared, created_at=now)
    )


def drop_view(session: Session, viewer: Viewer, view_id: int) -> None:
    """Remove one of one's own searches. Raises NotFound."""
    gone = session.execute(
        delete(SavedView)
        .where(SavedView.id == view_id, SavedView.user_id == viewer.user_id)
        .returning(SavedView.id)
    ).all()
    if not gone:
        msg = f"there is no view {view_id}"
        raise NotFound(msg)
