"""The secret file: session key, data keys, index key; mode 600, never in the database."""

import base64
import binascii
import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from canary.domain.errors import Invalid
from canary.storage.vault import Vault

SCHEMA = "waybill-canary-keys/1"
KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of one installation."""

    session_key: bytes
    vault: Vault


def load_or_make_keys(path: Path) -> Keys:
    """Load the secret file, making it first if it is not there. Raises Invalid."""
    if not path.exists():
        make_secret_file(path)
    return load_keys(path)


def make_secret_file(path: Path) -> None:
    """Write a new secret file, readable by its owner alone. Raises Invalid if there is one."""
    content = {
        "schema": SCHEMA,
        "session_key": _draw(),
        "data_keys": {"k1": _draw()},
        "active_data_key": "k1",
        "index_key": _draw(),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_new(path, json.dumps(content, indent=1))
    except FileExistsError as error:
        raise _flawed(path, "it exists already", "keep it, or move it away") from error
    except OSError as error:
        problem = f"it cannot be written: {error.strerror}"
        raise _flawed(path, problem, "choose a place you may write to") from error


def _write_new(path: Path, content: str) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # Linking never replaces a file, and shows this one whole or not at all.
        path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load_keys(path: Path) -> Keys:
    """Load the secret file. Raises Invalid if it is missing, open to others, or damaged."""
    try:
        mode = path.stat().st_mode
        content = json.loads(path.read_text(encoding="ascii"))
    except FileNotFoundError as error:
        raise _flawed(path, "it does not exist", "run `canary init`") from error
    except (OSError, ValueError, RecursionError) as error:
        raise _flawed(path, "it cannot be read", "restore it from your backup") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise _flawed(path, "other users may read it", f"chmod 600 {path}")
    try:
        return Keys(
            session_key=_decode(content["session_key"]),
            vault=Vault(
                {name: _decode(key) for name, key in content["data_keys"].items()},
                content["active_data_key"],
                _decode(content["index_key"]),
            ),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _flawed(path, "a key is missing or damaged", "restore it from your backup") from error


def _flawed(path: Path, problem: str, mend: str) -> Invalid:
    return Invalid(f"secret file {path}: {problem}", field="CANARY_SECRET_FILE", mend=mend)


def _draw() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


def _decode(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        msg = "not base64"
        raise ValueError(msg) from error
    if len(key) != KEY_BYTES:
        msg = "wrong length"
        raise ValueError(msg)
    return key
