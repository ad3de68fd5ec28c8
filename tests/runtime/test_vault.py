"""Secrets at rest: what is sealed opens only under its key, about the same thing, and unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runtime.vault import SealBroken, Vault

OLD, NEW = b"o" * 32, b"n" * 40


@given(st.text(), st.text())
def test_what_is_sealed_opens_again_and_shows_nothing(secret: str, about: str) -> None:
    vault = Vault([NEW])
    sealed = vault.seal(secret, about)
    assert vault.open(sealed, about) == secret
    assert len(secret) < 3 or secret.encode() not in sealed
    assert sealed != vault.seal(secret, about)


@pytest.mark.parametrize("place", [0, 1, 5, 17, -1])
def test_a_seal_that_was_changed_anywhere_does_not_open(place: int) -> None:
    sealed = bytearray(Vault([NEW]).seal("secret", "acme/shop"))
    sealed[place] ^= 1
    with pytest.raises(SealBroken):
        Vault([NEW]).open(bytes(sealed), "acme/shop")


@pytest.mark.parametrize("cut", range(39))
def test_half_a_seal_does_not_open(cut: int) -> None:
    with pytest.raises(SealBroken):
        Vault([NEW]).open(Vault([NEW]).seal("secret", "a")[:cut], "a")


def test_a_seal_about_one_thing_is_none_about_another() -> None:
    vault = Vault([NEW])
    with pytest.raises(SealBroken):
        vault.open(vault.seal("secret", "acme/shop"), "acme/bank")


def test_keys_are_rotated_by_putting_the_new_one_first_and_sealing_again() -> None:
    before = Vault([OLD]).seal("secret", "a")
    ring = Vault([NEW, OLD])
    assert ring.open(before, "a") == "secret"
    assert not ring.is_current(before)
    again = ring.seal(ring.open(before, "a"), "a")
    assert ring.is_current(again)
    assert Vault([NEW]).open(again, "a") == "secret"
    with pytest.raises(SealBroken):
        Vault([NEW]).open(before, "a")
