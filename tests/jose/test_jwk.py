# SPDX-License-Identifier: Apache-2.0
"""Key sets: which keys are used, for what, and which are left out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import joserfc.jwk
import joserfc.jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from daypass import jose, jwk
from daypass.errors import ProofError, Reason
from daypass.jsontext import decode_base64url
from fakes.oidc_provider import SigningKey, b64, b64_number, private_key, sign, signing_key

# The oracle warns of EdDSA, which RFC 9864 renames, and of the HMAC secret that an attacker would use.
pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")

RSA = signing_key("RS256")
EC = signing_key("ES256")
ED = signing_key("EdDSA")
CLAIMS = {"sub": "alice"}


def key_set(*entries: object) -> jose.KeySet:
    return jose.KeySet.parse(json.dumps({"keys": entries}).encode())


def refusal(action: Callable[..., object], *arguments: object) -> Reason:
    with pytest.raises(ProofError) as caught:
        action(*arguments)
    return caught.value.reason


def verify(text: str, keys: jose.KeySet) -> jose.VerifiedToken:
    return jose.verify(jose.parse(text), keys, jose.ALGORITHMS)


BAD_KEYS: dict[str, Any] = {
    "not an object": "key",
    "null": None,
    "empty": {},
    "no kty": RSA.jwk(kty=None),
    "unknown kty": RSA.jwk(kty="AKP"),
    "kty a list": RSA.jwk(kty=["RSA"]),
    "symmetric": {"kty": "oct", "k": b64(b"0" * 32), "alg": "HS256", "kid": "key-1"},
    "private": RSA.jwk(d="AQAB"),
    "private okp": ED.jwk(d=b64(bytes(32))),
    "for encryption": RSA.jwk(use="enc"),
    "use a list": RSA.jwk(use=["sig"]),
    "key_ops sign": RSA.jwk(key_ops=["sign"]),
    "key_ops empty": RSA.jwk(key_ops=[]),
    "key_ops text": RSA.jwk(key_ops="verify"),
    "alg of another type": RSA.jwk(alg="ES256"),
    "alg unknown": RSA.jwk(alg="RS1"),
    "alg null": {**RSA.jwk(), "alg": None},
    "alg HS256": RSA.jwk(alg="HS256"),
    "kid a number": RSA.jwk(kid=1),
    "kid empty": RSA.jwk(kid=""),
    "kid too long": RSA.jwk(kid="k" * 257),
    "no modulus": RSA.jwk(n=None),
    "modulus padded": RSA.jwk(n=RSA.jwk()["n"] + "=="),
    "modulus a number": RSA.jwk(n=5),
    "modulus not ascii": RSA.jwk(n="é"),
    "modulus of a megabit": RSA.jwk(n="A" * 4_000),
    "modulus even": RSA.jwk(n=b64_number(1 << 2047)),
    "exponent 1": RSA.jwk(e="AQ"),
    "exponent 2": RSA.jwk(e="Ag"),
    "exponent even": RSA.jwk(e=b64_number(65536)),
    "exponent huge": RSA.jwk(e=b64_number((1 << 31) + 1)),
    "exponent empty": RSA.jwk(e=""),
    "curve of another algorithm": EC.jwk(alg="ES384"),
    "curve unknown": EC.jwk(crv="secp256k1", alg=None),
    "curve a number": EC.jwk(crv=256),
    "point off the curve": EC.jwk(y=EC.jwk()["x"]),
    "point at zero": EC.jwk(x=b64(bytes(32)), y=b64(bytes(32))),
    "coordinate too short": EC.jwk(x=b64(bytes(31))),
    "coordinate too long": EC.jwk(x=b64(b"\0" + bytes(32))),
    "coordinates divided elsewhere": EC.jwk(
        x=b64(decode_base64url(EC.jwk()["x"].encode())[:-1]),
        y=b64(decode_base64url(EC.jwk()["x"].encode())[-1:] + decode_base64url(EC.jwk()["y"].encode())),
    ),
    "coordinates of another curve": EC.jwk(crv="P-384", alg="ES384"),
    "x25519": ED.jwk(crv="X25519", alg=None),
    "okp too short": ED.jwk(x=b64(bytes(31))),
    "okp named ec": ED.jwk(kty="EC"),
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_a_key_that_cannot_be_used_is_skipped_and_the_others_are_kept(name: str) -> None:  # J15
    good = signing_key("ES384", "good")
    keys = key_set(BAD_KEYS[name], good.jwk(), BAD_KEYS[name])
    assert (len(keys), keys.skipped) == (1, 2)
    assert verify(sign(good, CLAIMS), keys).claims == CLAIMS


@pytest.mark.parametrize(("bits", "usable"), [(1024, False), (2047, False), (2048, True), (8192, True), (8193, False)])
def test_rsa_keys_have_2048_to_8192_bits(bits: int, usable: bool) -> None:  # J11
    # An odd number of that size that is no ROCA modulus; whether it is a product of primes is not for a verifier to know.
    entry = RSA.jwk(n=b64_number((1 << (bits - 1)) + 7))
    assert len(key_set(entry)) == usable


def test_a_token_of_an_rsa_key_of_1024_bits_is_refused() -> None:  # J11
    weak = SigningKey("weak", "RS256", rsa.generate_private_key(public_exponent=65537, key_size=1024))
    assert refusal(verify, sign(weak, CLAIMS), key_set(weak.jwk())) is Reason.KEY_UNKNOWN


@pytest.mark.parametrize("exponent", [3, 65537, (1 << 31) - 1])
def test_odd_exponents_of_up_to_31_bits_are_used(exponent: int) -> None:
    assert len(key_set(RSA.jwk(e=b64_number(exponent)))) == 1


def test_a_modulus_with_a_leading_zero_octet_is_read() -> None:
    modulus = b"\0" + private_key("RS256").public_key().public_numbers().n.to_bytes(256, "big")  # type: ignore[union-attr]
    assert verify(sign(RSA, CLAIMS), key_set(RSA.jwk(n=b64(modulus)))).claims == CLAIMS


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":null}', b'{"keys":[],"keys":[]}', b"\xff", b"<html>"]
)
def test_a_document_that_is_no_key_set_is_refused(document: bytes) -> None:
    expected = {Reason.JSON_MALFORMED, Reason.JSON_DUPLICATE_MEMBER, Reason.KEY_SET_MALFORMED}
    assert refusal(lambda: jose.KeySet.parse(document)) in expected


def test_a_set_of_two_hundred_keys_is_read_and_one_more_is_too_large() -> None:
    assert key_set(*[{}] * 200).skipped == 200
    assert refusal(lambda: key_set(*[{}] * 201)) is Reason.KEY_SET_TOO_LARGE


def test_a_key_set_of_half_a_megabyte_is_read_and_one_octet_more_is_too_large() -> None:
    document = b'{"keys":[]}'
    jose.KeySet.parse(document + b" " * (512 * 1024 - len(document)))
    assert refusal(lambda: jose.KeySet.parse(b" " * (512 * 1024 + 1))) is Reason.KEY_SET_TOO_LARGE


def test_an_empty_key_set_verifies_nothing() -> None:
    assert refusal(verify, sign(ED, CLAIMS), key_set()) is Reason.KEY_UNKNOWN
    assert refusal(verify, sign(ED, CLAIMS, {"kid": None}), key_set()) is Reason.KEY_UNKNOWN


def test_a_key_without_alg_verifies_every_algorithm_of_its_type_and_one_with_alg_only_that() -> None:
    for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"):
        key = SigningKey("key-1", name, RSA.private)
        assert verify(sign(key, CLAIMS), key_set(RSA.jwk(alg=None))).claims == CLAIMS
        if name != "RS256":
            assert refusal(verify, sign(key, CLAIMS), key_set(RSA.jwk())) is Reason.KEY_UNSUITABLE


def test_a_key_of_another_type_than_the_algorithm_is_unsuitable() -> None:  # J2, J11
    text = sign(ED, CLAIMS, {"alg": "RS256"})
    assert refusal(verify, text, key_set(ED.jwk())) is Reason.KEY_UNSUITABLE


def test_without_a_key_id_the_only_key_that_fits_is_used() -> None:
    keys = key_set(RSA.jwk(), EC.jwk(), ED.jwk())
    assert verify(sign(EC, CLAIMS, {"kid": None}), keys).claims == CLAIMS
    assert verify(sign(EC, CLAIMS, {"kid": None}), key_set(EC.jwk(kid=None))).claims == CLAIMS


def test_without_a_key_id_two_keys_that_fit_are_refused() -> None:
    other = signing_key("ES256", "other", 1)
    keys = key_set(EC.jwk(), other.jwk())
    assert refusal(verify, sign(EC, CLAIMS, {"kid": None}), keys) is Reason.KEY_AMBIGUOUS


def test_a_key_id_finds_no_key_that_has_none() -> None:
    assert refusal(verify, sign(EC, CLAIMS), key_set(EC.jwk(kid=None))) is Reason.KEY_UNKNOWN


def test_two_different_keys_of_one_id_and_algorithm_are_refused_in_either_order() -> None:  # J4
    other = signing_key("ES256", "key-1", 1)
    for keys in (key_set(EC.jwk(), other.jwk()), key_set(other.jwk(), EC.jwk())):
        assert refusal(verify, sign(EC, CLAIMS), keys) is Reason.KEY_AMBIGUOUS
        assert refusal(verify, sign(other, CLAIMS), keys) is Reason.KEY_AMBIGUOUS


def test_keys_of_one_id_for_different_algorithms_are_told_apart() -> None:
    keys = key_set(RSA.jwk(), EC.jwk(), ED.jwk())
    for key in (RSA, EC, ED):
        assert verify(sign(key, CLAIMS), keys).claims == CLAIMS


def test_a_key_that_is_listed_twice_is_one_key() -> None:
    assert verify(sign(EC, CLAIMS), key_set(EC.jwk(), EC.jwk())).claims == CLAIMS
    assert verify(sign(EC, CLAIMS, {"kid": None}), key_set(EC.jwk(), EC.jwk(kid="again"))).claims == CLAIMS
    assert len(key_set(EC.jwk(), EC.jwk())) == 1


def test_the_certificates_of_a_key_are_not_what_verifies() -> None:  # J3
    keys = key_set(EC.jwk(x5c=["MIIB"], x5t="AAAA", x5u="https://evil.example"))
    assert verify(sign(EC, CLAIMS), keys).claims == CLAIMS


MADE: dict[str, Callable[[], joserfc.jwk.Key]] = {
    "PS384": lambda: joserfc.jwk.RSAKey.generate_key(2048, {"kid": "made"}),
    "ES512": lambda: joserfc.jwk.ECKey.generate_key("P-521", {"kid": "made"}),
    "EdDSA": lambda: joserfc.jwk.OKPKey.generate_key("Ed25519", {"kid": "made"}),
}


@pytest.mark.parametrize("algorithm", MADE)
def test_keys_that_joserfc_made_are_read(algorithm: str) -> None:
    made = MADE[algorithm]()
    text = joserfc.jwt.encode({"alg": algorithm, "kid": "made"}, CLAIMS, made, algorithms=[algorithm])
    assert verify(text, key_set(made.as_dict(private=False))).claims == CLAIMS


def test_a_modulus_of_the_roca_generator_is_recognised_and_another_is_not() -> None:
    primorial = math.prod(prime for prime in range(2, 168) if all(prime % divisor for divisor in range(2, prime)))
    assert jwk._is_roca(primorial * (1 << 1800) + pow(65537, 12345, primorial))
    assert not jwk._is_roca(primorial * (1 << 1800) + pow(65537, 12345, primorial) + 2)
    assert not jwk._is_roca(private_key("RS256").public_key().public_numbers().n)  # type: ignore[union-attr]


FIELDS = st.sampled_from(["kty", "use", "key_ops", "alg", "kid", "n", "e", "crv", "x", "y", "d", "k"])
VALUES = st.one_of(
    st.none(), st.integers(-(2**62), 2**62), st.text(max_size=6), st.lists(st.text(max_size=3), max_size=2),
    st.sampled_from(["RSA", "EC", "OKP", "oct", "sig", "P-256", "Ed25519", "AQAB", "ES256", "RS256", b64(bytes(32))]),
)  # fmt: skip


@given(st.sampled_from([RSA, EC, ED]), st.dictionaries(FIELDS, VALUES, max_size=4))
def test_whatever_the_entries_a_key_set_is_read_and_counts_them(key: SigningKey, changes: dict[str, Any]) -> None:
    keys = key_set(key.jwk(**changes))
    assert len(keys) + keys.skipped == 1
