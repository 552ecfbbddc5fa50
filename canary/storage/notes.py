"""Single facts kept in the database."""

from canary.domain.errors import Conflict
from canary.storage.session import Database
from canary.storage.tables import Note
from canary.storage.vault import SealBroken, Vault

CHECK = "key.check"
PLACE = "notes.value|key.check"
KNOWN = "waybill canary"


def check_keys(database: Database, vault: Vault) -> None:
    """Refuse keys that do not belong to this database. Raises Conflict.

    What is sealed is a keyed digest, so that a wrong index key is noticed too: with one, nothing
    would ever be found again, and nobody told.
    """
    known = vault.digest(KNOWN)
    with database.read() as session:
        note = session.get(Note, CHECK)
    if note is None:
        with database.write() as session:
            session.merge(Note(name=CHECK, value=vault.seal(PLACE, known)))
        return
    try:
        fits = vault.unseal(PLACE, note.value) == known
    except SealBroken:
        fits = False
    if not fits:
        msg = (
            "the secret file does not belong to this database; "
            "point CANARY_SECRET_FILE at the right one"
        )
        raise Conflict(msg)
