# SPDX-License-Identifier: Apache-2.0
"""Compact JWS and JWT: what is parsed, what is verified, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import joserfc.jwk
import joserfc.jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.errors import JoseError

from daypass import jose
from daypass.errors import ProofError, Reason
from fakes.oidc_provider import ALGORITHMS, b64, jwks, sign, signing_key

# The oracle warns of EdDSA, which RFC 9864 renames, and of the HMAC secret that an attacker would use.
pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")

ED = signing_key("EdDSA")
KEYS = jose.KeySet.parse(jwks(ED))
CLAIMS = {"iss": "https://idp.example.org", "sub": "alice"}


def refusal(action: Callable[..., object], *arguments: object) -> Reason:
    with pytest.raises(ProofError) as caught:
        action(*arguments)
    return caught.value.reason


def verify(text: str, keys: jose.KeySet = KEYS) -> jose.VerifiedToken:
    return jose.verify(jose.parse(text), keys, jose.ALGORITHMS)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_every_algorithm_is_verified(algorithm: str) -> None:
    key = signing_key(algorithm)
    assert verify(sign(key, CLAIMS), jose.KeySet.parse(jwks(key))).claims == CLAIMS


def test_the_table_of_algorithms_is_what_the_fake_signs() -> None:
    assert frozenset(ALGORITHMS) == jose.ALGORITHMS


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_joserfc_accepts_the_signatures_that_are_accepted_here(algorithm: str) -> None:
    key = signing_key(algorithm)
    oracle = joserfc.jwk.import_key(key.jwk(use=None))
    decoded = joserfc.jwt.decode(sign(key, CLAIMS), oracle, algorithms=[algorithm])
    assert decoded.claims == CLAIMS


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_signatures_of_joserfc_are_accepted(algorithm: str) -> None:
    key = signing_key(algorithm)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pem = key.private.private_bytes(encoding, form, serialization.NoEncryption())
    kind: Any = key.jwk()["kty"]
    oracle = joserfc.jwk.import_key(pem, kind)
    text = joserfc.jwt.encode({"alg": algorithm, "kid": "key-1"}, CLAIMS, oracle, algorithms=[algorithm])
    assert verify(text, jose.KeySet.parse(jwks(key))).claims == CLAIMS


@pytest.mark.parametrize(
    "algorithm",
    ["none", "None", "nOnE", "NONE", "HS256", "HS384", "HS512", "rs256", "ES256K", "RS1", "", "RSA-OAEP", "Ed448"],
)
def test_an_algorithm_off_the_list_is_refused_when_the_token_is_read(algorithm: str) -> None:  # J1, J2
    assert refusal(jose.parse, sign(ED, CLAIMS, {"alg": algorithm})) is Reason.TOKEN_ALGORITHM_REFUSED


@pytest.mark.parametrize("algorithm", [None, 1, ["EdDSA"], {"EdDSA": 1}, True])
def test_an_algorithm_that_is_absent_or_no_string_is_refused(algorithm: object) -> None:
    header = json.dumps({"kid": "key-1", **({} if algorithm is None else {"alg": algorithm})})
    assert refusal(jose.parse, sign(ED, CLAIMS, header)) is Reason.TOKEN_ALGORITHM_REFUSED


def test_an_unsigned_token_is_refused_with_and_without_its_last_dot() -> None:  # J1
    header, payload, _ = sign(ED, CLAIMS).split(".")
    none = b64(b'{"alg":"none"}')
    assert refusal(jose.parse, f"{none}.{payload}.") is Reason.TOKEN_ALGORITHM_REFUSED
    assert refusal(jose.parse, f"{header}.{payload}.") is Reason.TOKEN_MALFORMED
    assert refusal(jose.parse, f"{header}.{payload}") is Reason.TOKEN_MALFORMED


def test_a_public_key_as_the_secret_of_an_hmac_is_refused() -> None:  # J2
    public = b"-----BEGIN PUBLIC KEY-----"
    oracle = joserfc.jwk.OctKey.import_key(public + b"x" * 32)
    text = joserfc.jwt.encode({"alg": "HS256", "kid": "key-1"}, CLAIMS, oracle)
    assert refusal(jose.parse, text) is Reason.TOKEN_ALGORITHM_REFUSED


def test_an_algorithm_that_the_caller_did_not_list_is_refused_and_an_empty_list_is_no_algorithm() -> None:
    token = jose.parse(sign(ED, CLAIMS))
    assert refusal(lambda: jose.verify(token, KEYS, {"RS256"})) is Reason.TOKEN_ALGORITHM_REFUSED
    assert refusal(lambda: jose.verify(token, KEYS, frozenset())) is Reason.TOKEN_ALGORITHM_REFUSED


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_the_token_brings_is_never_used(member: str) -> None:  # J3
    thief = signing_key("EdDSA", "thief", 1)
    brought = {"jwk": thief.jwk(), "jku": "https://evil.example/jwks", "x5u": "https://evil.example", "x5c": ["MIIB"]}
    text = sign(thief, CLAIMS, {member: brought[member]})
    assert refusal(verify, text) is Reason.KEY_UNKNOWN
    text = sign(thief, CLAIMS, {member: brought[member], "kid": "key-1"})
    assert refusal(verify, text) is Reason.TOKEN_SIGNATURE_INVALID
    text = sign(thief, CLAIMS, {member: brought[member], "kid": None})
    assert refusal(verify, text) is Reason.TOKEN_SIGNATURE_INVALID


@pytest.mark.parametrize("key_id", ["", "k" * 257, 1, 1.5, True, ["key-1"], {"key-1": 1}])
def test_a_key_id_that_is_empty_too_long_or_no_string_is_refused(key_id: object) -> None:  # J4
    header = json.dumps({"alg": "EdDSA", "kid": key_id})
    assert refusal(jose.parse, sign(ED, CLAIMS, header)) is Reason.TOKEN_MALFORMED


@pytest.mark.parametrize("key_id", ["../../dev/null", "' OR 1=1 --", "key-1\x00", "KEY-1", " key-1", "k" * 256])
def test_a_key_id_is_compared_and_never_interpreted(key_id: str) -> None:  # J4
    assert refusal(verify, sign(ED, CLAIMS, {"kid": key_id})) is Reason.KEY_UNKNOWN


@pytest.mark.parametrize(
    "extension", [{"crit": []}, {"crit": ["exp"]}, {"crit": "b64", "b64": False}, {"b64": True}, {"zip": "DEF"}]
)
def test_an_extension_of_the_header_is_refused_even_when_it_is_empty(extension: dict[str, Any]) -> None:  # J5
    assert refusal(jose.parse, sign(ED, CLAIMS, extension)) is Reason.TOKEN_HEADER_REFUSED


def test_an_encrypted_token_is_refused_before_it_is_decoded() -> None:  # J6
    assert refusal(jose.parse, "a.b.c.d.e") is Reason.TOKEN_ENCRYPTED
    assert refusal(jose.parse, sign(ED, CLAIMS, {"enc": "A256GCM"})) is Reason.TOKEN_ENCRYPTED


@pytest.mark.parametrize(
    "claims",
    ['{"sub":"alice","sub":"root"}', '{"a":{"b":1,"b":1}}', '{"a":[{"b":1,"\\u0062":2}]}'],
    ids=["top", "nested", "escaped"],
)
def test_a_claim_that_is_there_twice_is_refused_at_every_level(claims: str) -> None:  # J7
    assert refusal(jose.parse, sign(ED, claims)) is Reason.JSON_DUPLICATE_MEMBER


def test_a_header_member_that_is_there_twice_is_refused() -> None:  # J7
    header = '{"alg":"EdDSA","kid":"key-1","alg":"EdDSA"}'
    assert refusal(jose.parse, sign(ED, CLAIMS, header)) is Reason.JSON_DUPLICATE_MEMBER


@pytest.mark.parametrize(
    "claims",
    [
        '{"exp":NaN}', '{"exp":Infinity}', '{"exp":-Infinity}', '{"exp":1e999}', '{"exp":-1e400}',
        '{"exp":' + "9" * 21 + "}", '{"exp":' + "9" * 5000 + "}", '{"exp":0.' + "1" * 39 + "}", '{"exp":01}',
        '{"a":"\\ud800"}', '{"\\udfff":1}', '{"a":"\\udc00\\ud800"}', '{"a":"\n"}', "{'a':1}", '{"a":1,}', '{"a":1}x',
        '{"a":1} {"b":2}', "[]", '["iss"]', '"text"', "1", "null", "true", "", " ", '\ufeff{"a":1}', '{"a":1}\x00',
    ],
)  # fmt: skip
def test_json_that_readers_understand_differently_is_refused(claims: str) -> None:  # J8
    assert refusal(jose.parse, sign(ED, claims)) is Reason.JSON_MALFORMED


@pytest.mark.parametrize(
    "claims", [b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc0\xaf"}', '{"a":1}'.encode("utf-16"), b"\x80"]
)
def test_claims_that_are_not_utf_8_are_refused(claims: bytes) -> None:
    assert refusal(jose.parse, sign(ED, claims)) is Reason.JSON_MALFORMED


def test_a_number_of_twenty_characters_and_a_surrogate_pair_are_read() -> None:
    claims = jose.parse(sign(ED, '{"n":-9223372036854775808,"f":1.5e3,"s":"\\ud83d\\ude00"}')).unverified_claims
    assert claims == {"n": -(2**63), "f": 1500.0, "s": "😀"}


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_is_read_to_a_depth_of_sixteen_and_no_deeper(opening: str, closing: str) -> None:  # J12
    def nested(depth: int) -> str:
        return sign(ED, '{"a":' + opening * (depth - 1) + "1" + closing * (depth - 1) + "}")

    jose.parse(nested(16))
    assert refusal(jose.parse, nested(17)) is Reason.JSON_MALFORMED
    assert refusal(jose.parse, nested(1500)) is Reason.JSON_MALFORMED


def test_brackets_in_strings_are_no_nesting() -> None:
    text = "[{" * 50 + '\\"' + "[" * 50
    assert jose.parse(sign(ED, {"a": text, "b": [[[]]] * 30})).unverified_claims["a"] == text


def test_a_string_that_is_never_closed_is_refused_in_linear_time() -> None:  # J12
    assert refusal(lambda: jose.KeySet.parse(b"[" * 17 + b'"\\' * 250_000)) is Reason.JSON_MALFORMED


def test_a_token_of_twenty_thousand_characters_is_read_and_one_more_is_too_large() -> None:  # J12
    claims = {"a": "x" * (14_700)}
    shell = len(sign(ED, claims, {"typ": ""}))
    texts = [sign(ED, claims, {"typ": "J" * ((20_000 - shell) * 3 // 4 + more)}) for more in range(-2, 4)]
    assert {20_000, 20_001} & {len(text) for text in texts}
    for text in texts:
        if len(text) <= 20_000:
            assert jose.parse(text).unverified_claims == claims
        else:
            assert refusal(jose.parse, text) is Reason.TOKEN_TOO_LARGE
    assert refusal(jose.parse, "." * 20_001) is Reason.TOKEN_TOO_LARGE
    assert refusal(jose.parse, "." * 20_000) is Reason.TOKEN_MALFORMED


def test_a_header_of_8192_characters_is_read_and_a_longer_one_is_too_large() -> None:
    shell = '{"alg":"EdDSA","kid":"key-1","x":""}'
    header = shell.replace('""', '"' + "x" * (8192 * 3 // 4 - len(shell)) + '"')
    jose.parse(sign(ED, CLAIMS, header))
    assert refusal(jose.parse, sign(ED, CLAIMS, header.replace("xx", "xxx", 1))) is Reason.TOKEN_TOO_LARGE


@pytest.mark.parametrize(
    "change", ["{}=", "{}==", " {}", "{}\n", "{}.", ".{}", "{}é", "{}+", "{}/", "{}\x00", "\ufeff{}", "{}%3D"]
)
def test_text_around_a_token_is_refused(change: str) -> None:
    assert refusal(jose.parse, change.format(sign(ED, CLAIMS))) is Reason.TOKEN_MALFORMED


@pytest.mark.parametrize("text", ["", ".", "..", "...", ".....", "a", "a.b", "a.b.c", "....", "a..b..c"])
def test_text_that_is_no_token_is_refused(text: str) -> None:
    assert refusal(jose.parse, text) in {Reason.TOKEN_MALFORMED, Reason.TOKEN_ENCRYPTED, Reason.JSON_MALFORMED}


def test_unused_bits_of_base64url_must_be_zero() -> None:
    text = sign(ED, CLAIMS)  # 64 octets of signature: two characters of the last group, of which four bits are unused
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    verify(text)
    for bits in range(1, 16):
        other = text[:-1] + alphabet[alphabet.index(text[-1]) + bits]
        assert refusal(jose.parse, other) is Reason.TOKEN_MALFORMED


@pytest.mark.parametrize("type_", [1, None, ["JWT"], True])
def test_a_type_that_is_no_string_is_refused(type_: object) -> None:
    header = json.dumps({"alg": "EdDSA", "kid": "key-1", "typ": type_})
    assert refusal(jose.parse, sign(ED, CLAIMS, header)) is Reason.TOKEN_MALFORMED


def test_the_issuer_to_look_up_is_a_string_or_refused() -> None:
    assert jose.parse(sign(ED, CLAIMS)).unverified_issuer == "https://idp.example.org"
    for claims in ({}, {"iss": None}, {"iss": 1}, {"iss": ["https://idp.example.org"]}):
        token = jose.parse(sign(ED, claims))
        assert refusal(getattr, token, "unverified_issuer") is Reason.CLAIM_MISSING


def test_what_was_parsed_cannot_be_edited_before_it_is_verified() -> None:
    token = jose.parse(sign(ED, CLAIMS))
    with pytest.raises(TypeError):
        token.unverified_claims["sub"] = "root"  # type: ignore[index]
    with pytest.raises(TypeError):
        token.unverified_header["kid"] = "other"  # type: ignore[index]


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512"])
def test_the_signature_of_zeros_and_every_other_length_of_a_signature_are_refused(algorithm: str) -> None:  # J11
    key = signing_key(algorithm)
    keys = jose.KeySet.parse(jwks(key))
    signing_input, _, signature = sign(key, CLAIMS).rpartition(".")
    size = {"ES256": 64, "ES384": 96, "ES512": 132}[algorithm]
    genuine = jose.parse(f"{signing_input}.{signature}").signature
    assert len(genuine) == size
    order = {"ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551}.get(algorithm, 1)
    half = size // 2
    forged = [
        bytes(size), genuine[:-1], genuine + b"\0", b"\0" + genuine, genuine[:half] + bytes(half), bytes(half) + genuine[half:],
        order.to_bytes(half, "big") * 2, b"\xff" * size, genuine[:half] + b"\0" + genuine[half:], b"\x30" + genuine,
    ]  # fmt: skip
    for value in forged:
        assert refusal(verify, f"{signing_input}.{b64(value)}", keys) is Reason.TOKEN_SIGNATURE_INVALID


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_an_rsa_signature_of_another_length_is_refused(algorithm: str) -> None:
    # Backstop: RFC 8017 sections 8.1.2 and 8.2.2, step 1, which cryptography performs.
    key = signing_key(algorithm)
    keys = jose.KeySet.parse(jwks(key))
    signing_input, _, _ = sign(key, CLAIMS).rpartition(".")
    genuine = key.sign(signing_input.encode())
    for value in (genuine[:-1], genuine + b"\0", b"\0" + genuine, bytes(256), b"\0", b"\xff" * 256):
        assert refusal(verify, f"{signing_input}.{b64(value)}", keys) is Reason.TOKEN_SIGNATURE_INVALID


@pytest.mark.parametrize(
    ("says", "made"), [("RS256", "PS256"), ("PS256", "RS256"), ("RS256", "RS512"), ("PS384", "PS256")]
)
def test_a_signature_by_another_algorithm_than_the_header_says_is_refused(says: str, made: str) -> None:
    key = signing_key("RS256")
    keys = jose.KeySet.parse(json.dumps({"keys": [key.jwk(alg=None)]}).encode())
    signing_input, _, _ = sign(key, CLAIMS, {"alg": says}).rpartition(".")
    text = f"{signing_input}.{b64(key.sign(signing_input.encode(), made))}"
    assert refusal(verify, text, keys) is Reason.TOKEN_SIGNATURE_INVALID


def test_no_refusal_quotes_the_token() -> None:  # J16
    secret = "do-not-print-me"
    texts = [
        sign(ED, f'{{"{secret}":1,"{secret}":2}}'), sign(ED, {"sub": secret}, {"alg": secret}),
        sign(ED, CLAIMS, {"kid": secret}),
        sign(ED, {"iss": secret}, {"crit": [secret]}), secret, f"{secret}.{secret}.{secret}", sign(ED, f'{{"a":{secret}}}'),
    ]  # fmt: skip
    for text in texts:
        with pytest.raises(ProofError) as caught:
            verify(text)
        assert secret not in str(caught.value)
        assert text not in str(caught.value)


ALPHABET = st.sampled_from('ABCab019-_.=+/ é\n"{}')


@given(st.one_of(st.text(ALPHABET, max_size=60), st.text(max_size=60)))
def test_whatever_the_text_only_a_proof_error_is_raised(text: str) -> None:
    with pytest.raises(ProofError):
        verify(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "enc", "jwk"]), JSON, max_size=5),
    claims=JSON,
    algorithm=st.sampled_from([*ALGORITHMS, "none", "HS256"]),
)
def test_whatever_the_header_and_claims_a_token_is_verified_or_a_proof_error_raised(
    header: dict[str, Any], claims: object, algorithm: str
) -> None:
    text = sign(ED, json.dumps(claims), json.dumps({"alg": algorithm, **header}))
    try:
        verified = verify(text)
    except ProofError:
        return
    assert json.dumps(dict(verified.claims), sort_keys=True) == json.dumps(claims, sort_keys=True)
    assert {**header, "alg": verified.header["alg"]} == {"alg": verified.header["alg"], **header}
    assert verified.header["alg"] in {"EdDSA", "Ed25519"}


@given(st.binary(max_size=80))
def test_whatever_octets_the_segments_carry_only_a_proof_error_is_raised(octets: bytes) -> None:
    header, payload, signature = sign(ED, CLAIMS).split(".")
    for text in (
        f"{b64(octets)}.{payload}.{signature}",
        f"{header}.{b64(octets)}.{signature}",
        f"{header}.{payload}.{b64(octets)}",
    ):
        with pytest.raises(ProofError):
            verify(text)
    with pytest.raises(ProofError):
        jose.KeySet.parse(octets).choose(None, "EdDSA")


GENUINE = sign(ED, CLAIMS)


@settings(max_examples=300)
@given(position=st.integers(0, len(GENUINE) - 1), character=st.characters(codec="ascii"))
def test_a_token_changed_in_one_character_is_refused_here_and_by_joserfc(position: int, character: str) -> None:
    changed = GENUINE[:position] + character + GENUINE[position + 1 :]
    if changed == GENUINE:
        return
    with pytest.raises(ProofError):
        verify(changed)
    with pytest.raises((JoseError, ValueError)):  # the oracle's own variety of refusals
        joserfc_jws.deserialize_compact(changed, joserfc.jwk.import_key(ED.jwk(use=None)), algorithms=["EdDSA"])
