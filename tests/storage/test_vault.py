"""What is sealed opens at its own place with its own key, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.storage.vault import SealBroken, Vault

VAULT = Vault({"k1": b"k" * 32}, "k1", b"i" * 32)
PLACE = "baits.sealed_values|B-1"


@given(st.binary(max_size=300), st.text(max_size=30))
def test_sealed_value_opens_again(plain: bytes, row: str) -> None:
    place = f"table.column|{row}".encode("utf-8", "replace").decode()
    assert VAULT.unseal(place, VAULT.seal(place, plain)) == plain


@given(st.binary(min_size=1, max_size=40), st.data())
def test_any_changed_bit_is_noticed(plain: bytes, data: st.DataObject) -> None:
    envelope = bytearray(VAULT.seal(PLACE, plain))
    bit = data.draw(st.integers(0, len(envelope) * 8 - 1))
    envelope[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealBroken):
        VAULT.unseal(PLACE, bytes(envelope))


@given(st.binary(max_size=80))
def test_foreign_bytes_never_open(envelope: bytes) -> None:
    with pytest.raises(SealBroken):
        VAULT.unseal(PLACE, envelope)


def test_envelope_moved_elsewhere_stays_shut() -> None:
    envelope = VAULT.seal(PLACE, b"19340271865")
    for place in ("baits.sealed_values|B-2", "phones.sealed_number|B-1", ""):
        with pytest.raises(SealBroken):
            VAULT.unseal(place, envelope)


def test_other_key_does_not_open() -> None:
    stranger = Vault({"k1": b"x" * 32}, "k1", b"i" * 32)
    with pytest.raises(SealBroken):
        stranger.unseal(PLACE, VAULT.seal(PLACE, b"secret"))


def test_older_key_still_opens() -> None:
    newer = Vault({"k1": b"k" * 32, "k2": b"n" * 32}, "k2", b"i" * 32)
    assert newer.unseal(PLACE, VAULT.seal(PLACE, b"old")) == b"old"
    with pytest.raises(SealBroken):
        VAULT.unseal(PLACE, newer.seal(PLACE, b"new"))


def test_equal_values_look_different() -> None:
    assert VAULT.seal(PLACE, b"same") != VAULT.seal(PLACE, b"same")


def test_failure_tells_no_value() -> None:
    with pytest.raises(SealBroken) as failure:
        VAULT.unseal("phones.sealed_number|19340271865", b"\x01")
    assert "19340271865" not in str(failure.value)


@given(st.text(max_size=40), st.text(max_size=40))
def test_digest_is_keyed_and_steady(one: str, other: str) -> None:
    stranger = Vault({"k1": b"k" * 32}, "k1", b"j" * 32)
    assert (VAULT.digest(one) == VAULT.digest(other)) == (one == other)
    assert VAULT.digest(one) != stranger.digest(one)


def test_digest_takes_lone_surrogates() -> None:
    assert len(VAULT.digest("\ud800")) == 16
