"""Single facts kept in the database."""

from canary.domain.errors import Conflict
from canary.storage.session import Database
from canary.storage.tables import Note
from canary.storage.vault import SealBroken, Vault

CHECK = "key.check"
PLACE = "notes.value|key.check"
KNOWN = b"waybill canary"


def check_keys(database: Database, vault: Vault) -> None:
    """Refuse keys that do not belong to this database. Raises Conflict."""
    with database.read() as session:
        note = session.get(Note, CHECK)
    if note is None:
        with database.write() as session:
            session.merge(Note(name=CHECK, value=vault.seal(PLACE, KNOWN)))
        return
    try:
        fits = vault.unseal(PLACE, note.value) == KNOWN
    except SealBroken:
        fits = False
    if not fits:
        msg = (
            "the secret file does not belong to this database; "
            "point CANARY_SECRET_FILE at the right one"
        )
        raise Conflict(msg)
