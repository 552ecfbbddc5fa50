"""What somebody sent to look at first: kept sealed, for a week at most."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from canary.domain.errors import Invalid, NotFound
from canary.services.access import Viewer
from canary.services.audit import record
from canary.services.refs import make_ref
from canary.storage.tables import Upload
from canary.storage.vault import Vault

MOST_BYTES = 16 * 1024 * 1024
KEPT = timedelta(days=7)
LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLine:
    """An upload in the list of the last ones. `size` in bytes."""

    ref: str
    name: str
    size: int
    created_by: str
    created_at: datetime
    done_as: str


def keep_upload(
    session: Session,
    vault: Vault,
    body: bytes,
    *,
    purpose: str,
    name: str,
    viewer: Viewer,
    now: datetime,
) -> str:
    """Keep bytes, sealed, and return their reference. Raises Invalid."""
    if not body.strip():
        raise Invalid("there is nothing in it")
    if len(body) > MOST_BYTES:
        raise Invalid("this is too large for the page; use the command")
    session.execute(delete(Upload).where(Upload.created_at < now - KEPT))
    ref = make_ref("C")
    session.add(
        Upload(
            ref=ref,
            purpose=purpose,
            name=name[:200],
            sealed_body=vault.seal(_place_of(ref), body),
            size=len(body),
            created_by=viewer.name,
            created_at=now,
        )
    )
    record(session, viewer.name, f"upload.{purpose}", f"upload/{ref}", now, size=len(body))
    return ref


def get_upload(session: Session, ref: str, purpose: str) -> Upload:
    """Return an upload, locked where its transaction writes. Raises NotFound."""
    query = select(Upload).where(Upload.ref == ref, Upload.purpose == purpose)
    row = session.scalar(query.with_for_update())
    if row is None:
        msg = f"there is no upload {ref}"
        raise NotFound(msg)
    return row


def open_upload(vault: Vault, row: Upload) -> bytes:
    """Open the bytes. Raises SealBroken."""
    return vault.unseal(_place_of(row.ref), row.sealed_body)


def list_uploads(session: Session, purpose: str) -> list[UploadLine]:
    """List the last uploads for a purpose, newest first."""
    query = select(Upload).where(Upload.purpose == purpose).order_by(Upload.id.desc())
    return [show_upload(row) for row in session.scalars(query.limit(LISTED))]


def show_upload(row: Upload) -> UploadLine:
    """Return an upload as pages show it."""
    return UploadLine(
        ref=row.ref,
        name=row.name,
        size=row.size,
        created_by=row.created_by,
        created_at=row.created_at,
        done_as=row.done_as or "",
    )


def _place_of(ref: str) -> str:
    return f"uploads.sealed_body|{ref}"
