# SPDX-License-Identifier: Apache-2.0
"""Keys and compact tokens of our own issuer: what joserfc and our own verifier say of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet as JoseKeySet

from daypass import jose
from daypass.errors import ProofError, Reason
from daypass.issuer import signing
from daypass.issuer.signing import ALGORITHMS, Algorithm, NewKey, compact_token, new_key

CLAIMS = {"iss": "https://daypass.example.org/oidc/123456789012", "sub": "alice", "aud": "app", "exp": 1_800_000_300}
KEYS: dict[Algorithm, NewKey] = {algorithm: new_key(algorithm, f"key-{algorithm}") for algorithm in ALGORITHMS}
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


def token(algorithm: Algorithm, claims: bytes = json.dumps(CLAIMS).encode()) -> str:
    return compact_token(claims, algorithm, f"key-{algorithm}", KEYS[algorithm].private)


def key_set(*algorithms: Algorithm) -> bytes:
    return json.dumps({"keys": [json.loads(KEYS[name].public_jwk) for name in algorithms]}).encode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_joserfc_verifies_what_is_signed_here(algorithm: Algorithm) -> None:
    keys = JoseKeySet.import_key_set(json.loads(key_set(*ALGORITHMS)))
    verified = jwt.decode(token(algorithm), keys, algorithms=[algorithm])
    assert verified.claims == CLAIMS
    assert verified.header == {"kid": f"key-{algorithm}", "typ": "JWT", "alg": algorithm}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_our_own_verifier_does_too(algorithm: Algorithm) -> None:
    keys = jose.KeySet.parse(key_set(*ALGORITHMS))
    assert (len(keys), keys.skipped) == (2, 0)
    assert jose.verify(jose.parse(token(algorithm)), keys, {algorithm}).claims == CLAIMS


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_with_one_changed_character_is_refused(algorithm: Algorithm) -> None:
    keys, good = jose.KeySet.parse(key_set(algorithm)), token(algorithm)
    head, payload, signature = good.split(".")
    changed = "A" if signature[5] != "A" else "B"
    for text in (
        f"{head}.{token(algorithm, b'{}').split('.')[1]}.{signature}",
        f"{head}.{payload}.{signature[:5]}{changed}{signature[6:]}",
    ):
        with pytest.raises(ProofError) as caught:
            jose.verify(jose.parse(text), keys, {algorithm})
        assert caught.value.reason is Reason.TOKEN_SIGNATURE_INVALID


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_public_key_has_nothing_private_in_it_and_says_what_it_is_for(algorithm: Algorithm) -> None:
    jwk: dict[str, Any] = json.loads(KEYS[algorithm].public_jwk)
    assert not jwk.keys() & PRIVATE
    assert (jwk["use"], jwk["alg"], jwk["kid"]) == ("sig", algorithm, f"key-{algorithm}")


def test_signatures_and_coordinates_have_their_full_length_whatever_their_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # RFC 7518 section 3.4: leading zeros are not dropped. One signature in 128 has one, so it is made here.
    monkeypatch.setattr(signing, "decode_dss_signature", lambda _signature: (1, 2))
    assert len(token("ES384").split(".")[2]) == 128
    jwk = json.loads(KEYS["ES384"].public_jwk)
    assert len(jwk["x"]) == len(jwk["y"]) == 64


def test_a_key_of_the_other_kind_is_an_error_of_ours() -> None:
    with pytest.raises(TypeError):
        compact_token(b"{}", "RS256", "key", KEYS["ES384"].private)


def test_a_new_key_does_not_print() -> None:
    assert repr(KEYS["RS256"]) == "NewKey(...)"
