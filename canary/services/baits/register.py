"""The register in the database: identifiers found by keyed digest, values opened to confirm."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import fields

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.domain.identifiers import BaitValues
from canary.matching.keys import FANOUT, Key, keys_of
from canary.matching.register import Register, Row
from canary.storage.tables import Bait, Identifier, Placement, Source
from canary.storage.vault import Vault

CHUNK = 500
_write_json = json.JSONEncoder(ensure_ascii=False).encode
FIELDS = tuple(field.name for field in fields(BaitValues))


def place_of(ref: str) -> str:
    """Name the sealed place of a bait's values."""
    return f"baits.sealed_values|{ref}"


def seal_values(vault: Vault, ref: str, values: BaitValues) -> bytes:
    """Seal a bait's values for its row."""
    content = {name: getattr(values, name) for name in FIELDS}
    return vault.seal(place_of(ref), _write_json(content).encode())


def open_values(vault: Vault, bait: Bait) -> BaitValues:
    """Open a bait's values."""
    return BaitValues(**json.loads(vault.unseal(place_of(bait.ref), bait.sealed_values)))


def list_keys(values: BaitValues) -> list[Key]:
    """List the keys under which a bait can be found, and those that keep it apart from others."""
    return [*keys_of(values), mask_key(values.name or "", values.city)]


def mask_key(name: str, city: str) -> Key:
    """Return the key that no two baits of a city share: the name as a mask leaves it."""
    return f"um:{name[:1]}*{name[-1:]}|{city}"


def kind_of(key: Key) -> str:
    """Name the family of a key; whole numbers are `number`, which is unique."""
    family = key.partition(":")[0]
    return "number" if family == "n" else family


def load_rows(session: Session, vault: Vault) -> Iterator[Row]:
    """Open every bait, by rising id, for scanning files."""
    wanted = (
        select(Bait, Source.code)
        .outerjoin(Placement, Placement.bait_id == Bait.id)
        .outerjoin(Source, Source.id == Placement.source_id)
        .order_by(Bait.id)
        .execution_options(yield_per=CHUNK)
    )
    with closing(session.execute(wanted)) as rows:
        for bait, source in rows:
            yield Row(bait.id, open_values(vault, bait), bait.ref, source or "")


class SqlRegister(Register):
    """Looks identifiers up in one session."""

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        self._vault = vault
        self._size = session.scalar(select(func.count()).select_from(Bait)) or 0

    @property
    def size(self) -> int:
        return self._size

    def find(self, keys: Collection[Key]) -> Mapping[Key, Sequence[int]]:
        """Return the ids of the baits under each key that is known."""
        digests = list(self._vault.digests(keys).items())
        found: dict[Key, list[int]] = defaultdict(list)
        for start in range(0, len(digests), CHUNK):
            chunk = dict(digests[start : start + CHUNK])
            rows = self._session.execute(
                select(Identifier.value_key, Identifier.bait_id).where(
                    Identifier.value_key.in_(chunk)
                )
            )
            for value_key, bait_id in rows:
                found[chunk[value_key]].append(bait_id)
        return {key: ids for key, ids in found.items() if len(ids) <= FANOUT}

    def values(self, bait_ids: Collection[int]) -> Mapping[int, BaitValues]:
        """Open the values of baits."""
        wanted = sorted(bait_ids)
        opened: dict[int, BaitValues] = {}
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            for bait in self._session.scalars(select(Bait).where(Bait.id.in_(chunk))):
                opened[bait.id] = open_values(self._vault, bait)
        return opened
