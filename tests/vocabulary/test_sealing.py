# SPDX-License-Identifier: Apache-2.0
"""What is sealed opens again, for the right label, under the right key, in time; and nothing else opens."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given, settings
from hypothesis import strategies as st

from daypass.errors import AuthenticationError, ConfigurationError, Reason
from daypass.sealing import (
    ACCEPTED_AFTER_RETIREMENT_SECONDS,
    MAXIMUM_TOKEN_CHARACTERS,
    Derivation,
    KeyRing,
    MasterKey,
    RingKey,
    new_ring_key,
)

NOW = 1_800_000_000.0
LABEL = "ASIAQNZKJ3EXAMPLE234"
MASTER = MasterKey(bytes(range(32)))


def ring_key(*, active_from: float = 0.0, retire_at: float | None = None) -> RingKey:
    key_id, wrapped = new_ring_key(MASTER)
    return RingKey.unwrap(MASTER, key_id=key_id, wrapped=wrapped, active_from=active_from, retire_at=retire_at)


KEY = ring_key()
RING = KeyRing([KEY])
TOKEN = RING.seal(b"contents", kind=1, label=LABEL, now=NOW).token


def refusal(token: str, *, ring: KeyRing = RING, kind: int = 1, label: str = LABEL, now: float = NOW) -> Reason:
    with pytest.raises(AuthenticationError) as caught:
        ring.open(token, kind=kind, label=label, now=now)
    return caught.value.reason


@given(content=st.binary(max_size=2000), kind=st.integers(0, 255))
def test_what_is_sealed_opens_with_the_same_content_and_secret(content: bytes, kind: int) -> None:
    sealed = RING.seal(content, kind=kind, label=LABEL, now=NOW)
    opened = RING.open(sealed.token, kind=kind, label=LABEL, now=NOW)
    assert opened.content == content
    assert opened.secret == sealed.secret
    assert len(sealed.secret) == 40


@given(salt=st.binary(min_size=32, max_size=32))
def test_the_key_of_a_box_is_what_an_independent_hkdf_derives(salt: bytes) -> None:
    independent = HKDFExpand(hashes.SHA512(), 64, b"daypass box v1" + KEY.key_id + salt).derive(KEY.seal_material)
    assert b"".join(Derivation(KEY).box(salt)) == independent


def test_two_boxes_of_the_same_content_differ_in_every_part_that_matters() -> None:
    other = RING.seal(b"contents", kind=1, label=LABEL, now=NOW)
    assert other.token != TOKEN
    assert other.secret != RING.open(TOKEN, kind=1, label=LABEL, now=NOW).secret


def test_every_single_bit_of_a_token_matters() -> None:
    raw = base64.b64decode(TOKEN)
    for position in range(len(raw)):
        for bit in range(8):
            changed = bytearray(raw)
            changed[position] ^= 1 << bit
            refusal(base64.b64encode(bytes(changed)).decode())


def test_a_truncated_token_is_refused_at_every_length() -> None:
    for length in range(len(TOKEN)):
        refusal(TOKEN[:length])


@pytest.mark.parametrize(
    "token", [TOKEN + "\n", " " + TOKEN, TOKEN + "AAAA", TOKEN.replace("=", ""), TOKEN + "=", "é", ""]
)
def test_a_token_in_another_spelling_is_malformed(token: str) -> None:
    assert token != TOKEN
    assert refusal(token) in {Reason.SEAL_MALFORMED, Reason.SEAL_BROKEN}


def test_base64_with_stray_bits_is_malformed() -> None:
    ring = KeyRing([KEY])
    token = next(
        sealed
        for size in range(3)
        if (sealed := ring.seal(b"x" * size, kind=1, label=LABEL, now=NOW).token).endswith("=")
    )
    last = len(token.rstrip("=")) - 1
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = token[:last] + alphabet[alphabet.index(token[last]) + 1] + token[last + 1 :]
    assert base64.b64decode(stray) == base64.b64decode(token)
    assert refusal(stray) is Reason.SEAL_MALFORMED


def test_a_token_longer_than_the_limit_is_refused_unread() -> None:
    assert refusal("A" * (MAXIMUM_TOKEN_CHARACTERS + 1)) is Reason.SEAL_MALFORMED


def test_another_label_does_not_open() -> None:
    assert refusal(TOKEN, label="ASIAQNZKJ3EXAMPLE235") is Reason.SEAL_BROKEN


def test_a_label_outside_ascii_does_not_open() -> None:
    assert refusal(TOKEN, label="ASIÄ") is Reason.SEAL_BROKEN


def test_another_kind_does_not_open() -> None:
    assert refusal(TOKEN, kind=2) is Reason.SEAL_MALFORMED


def test_an_unknown_key_does_not_open() -> None:
    assert refusal(TOKEN, ring=KeyRing([ring_key()])) is Reason.SEAL_UNKNOWN_KEY


def test_no_key_is_tried_that_the_token_does_not_name() -> None:
    impostor = RingKey(KEY.key_id, bytes(32), bytes(32), 0.0)
    assert refusal(TOKEN, ring=KeyRing([impostor, ring_key()])) is Reason.SEAL_BROKEN


def test_the_newest_active_key_seals() -> None:
    old, new, future = ring_key(active_from=NOW - 100), ring_key(active_from=NOW), ring_key(active_from=NOW + 1)
    token = KeyRing([new, future, old]).seal(b"", kind=1, label=LABEL, now=NOW).token
    assert base64.b64decode(token)[2:6] == new.key_id


def test_a_retired_key_opens_for_thirty_six_hours_and_not_an_instant_longer() -> None:
    retired = RingKey(KEY.key_id, KEY.seal_material, KEY.secret_material, 0.0, retire_at=NOW)
    ring = KeyRing([retired])
    last = NOW + ACCEPTED_AFTER_RETIREMENT_SECONDS
    assert ring.open(TOKEN, kind=1, label=LABEL, now=last - 1).content == b"contents"
    assert refusal(TOKEN, ring=ring, now=last) is Reason.SEAL_UNKNOWN_KEY


def test_without_an_active_key_nothing_is_sealed() -> None:
    ring = KeyRing([ring_key(active_from=NOW + 1), ring_key(active_from=0, retire_at=NOW)])
    with pytest.raises(ConfigurationError) as caught:
        ring.seal(b"", kind=1, label=LABEL, now=NOW)
    assert caught.value.reason is Reason.SEALING_KEY_MISSING


@settings(max_examples=300)
@given(token=st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: base64.b64encode(raw).decode()))
def test_no_text_raises_anything_but_a_refusal(token: str) -> None:
    refusal(token)


def test_the_master_key_is_read_as_base64_and_as_hexadecimal() -> None:
    wrapped = MASTER.wrap(b"material", b"label")
    for text in (base64.b64encode(bytes(range(32))).decode(), bytes(range(32)).hex(), bytes(range(32)).hex() + "\n"):
        assert MasterKey.parse(text).unwrap(wrapped, b"label") == b"material"


@pytest.mark.parametrize(
    "text", ["", "short", "A" * 43, "A" * 44 + "B", base64.b64encode(bytes(31)).decode(), "zz" * 32]
)
def test_a_master_key_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MasterKey.parse(text)
    assert caught.value.reason is Reason.MASTER_KEY_INVALID


def test_a_generated_master_key_is_read_back_and_is_never_the_same() -> None:
    assert MasterKey.generate() != MasterKey.generate()
    MasterKey.parse(MasterKey.generate())


def test_another_master_key_or_label_does_not_unwrap() -> None:
    wrapped = MASTER.wrap(b"material", b"label")
    for master, label in ((MasterKey(bytes(32)), b"label"), (MASTER, b"other")):
        with pytest.raises(ConfigurationError) as caught:
            master.unwrap(wrapped, label)
        assert caught.value.reason is Reason.MASTER_KEY_INVALID


def test_nothing_secret_prints() -> None:
    sealed = RING.seal(b"hidden-content", kind=1, label=LABEL, now=NOW)
    opened = RING.open(sealed.token, kind=1, label=LABEL, now=NOW)
    shown = repr((KEY, RING, MASTER, sealed, opened))
    assert sealed.secret not in shown
    assert "hidden-content" not in shown
    assert KEY.seal_material.hex() not in shown
    assert repr(KEY.seal_material) not in shown
