"""The secret file: its owner's alone, whole or refused, and never in the database."""

import json
import os
import stat
from pathlib import Path

import pytest

from canary.domain.errors import Conflict, Invalid
from canary.storage.keys import load_keys, load_or_make_keys, make_secret_file
from canary.storage.notes import check_keys
from canary.storage.session import Database
from canary.storage.vault import Vault


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "home" / "secrets.json"
    make_secret_file(path)
    return path


def test_new_file_is_its_owners_alone(secret_file: Path) -> None:
    assert stat.S_IMODE(secret_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret_file.parent.stat().st_mode) == 0o700


def test_open_umask_does_not_open_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_secret_file(tmp_path / "secrets.json")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_file_open_to_others_is_refused(secret_file: Path, mode: int) -> None:
    secret_file.chmod(mode)
    with pytest.raises(Invalid, match="chmod 600"):
        load_keys(secret_file)


def test_same_file_gives_same_keys(secret_file: Path) -> None:
    envelope = load_keys(secret_file).vault.seal("p", b"x")
    assert load_or_make_keys(secret_file).vault.unseal("p", envelope) == b"x"


def test_each_file_has_other_keys(tmp_path: Path, secret_file: Path) -> None:
    make_secret_file(tmp_path / "other.json")
    mine, other = (
        json.loads(secret_file.read_text()),
        json.loads((tmp_path / "other.json").read_text()),
    )
    keys = [one[name] for one in (mine, other) for name in ("session_key", "index_key")]
    keys += [one["data_keys"]["k1"] for one in (mine, other)]
    assert len(set(keys)) == 6


def test_existing_file_is_never_overwritten(secret_file: Path) -> None:
    before = secret_file.read_bytes()
    with pytest.raises(Invalid):
        make_secret_file(secret_file)
    assert secret_file.read_bytes() == before


def test_no_half_written_file_is_left(secret_file: Path) -> None:
    assert [path.name for path in secret_file.parent.iterdir()] == ["secrets.json"]


def test_missing_file_asks_for_init(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="canary init"):
        load_keys(tmp_path / "none.json")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"session_key": "AAAA", "data_keys": {}, "active_data_key": "k1", "index_key": ""}',
        '{"session_key": 7, "data_keys": [], "active_data_key": "k1", "index_key": 1}',
        "\xff",
        "[" * 100_000,
    ],
)
def test_damaged_file_is_told_in_one_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_bytes(content.encode("latin-1"))
    path.chmod(0o600)
    with pytest.raises(Invalid) as refusal:
        load_keys(path)
    assert refusal.value.flaws[0].field == "CANARY_SECRET_FILE"


@pytest.mark.parametrize("active", ["k9", 5, None, "钥"])
def test_active_key_must_exist(secret_file: Path, active: object) -> None:
    content = json.loads(secret_file.read_text()) | {"active_data_key": active}
    secret_file.write_text(json.dumps(content))
    with pytest.raises(Invalid):
        load_keys(secret_file).vault.seal("p", b"x")


def test_keys_of_another_database_are_refused(database: Database, vault: Vault) -> None:
    check_keys(database, vault)
    check_keys(database, vault)
    with pytest.raises(Conflict, match="does not belong"):
        check_keys(database, Vault({"k1": b"x" * 32}, "k1", b"i" * 32))


def test_index_key_must_belong_too(database: Database, vault: Vault) -> None:
    """Right data key, wrong index key: nothing would ever be found again, and nobody told."""
    check_keys(database, vault)
    with pytest.raises(Conflict, match="does not belong"):
        check_keys(database, Vault({"k1": b"k" * 32}, "k1", b"x" * 32))
