# SPDX-License-Identifier: Apache-2.0
"""
Signed JSON: compact JWS (RFC 7515) and JWT claims (RFC 7519).

Pure: the caller brings the text, the keys and the algorithms. Public-key signatures only: symmetric algorithms, ``none``
and encryption (RFC 7516) do not exist here, so no key can be mistaken for a secret (DESIGN.md, invariant 7). The keys
are ``daypass.jwk``'s; what the claims mean (issuer, audience, times) is for ``daypass.oidc`` and ``daypass.oauth2``.

    text -- parse --> UnverifiedToken -- verify(keys, algorithms) --> VerifiedToken
    bytes -- KeySet.parse --> KeySet
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature

from daypass.errors import ProofError, Reason
from daypass.jsontext import BASE64URL, decode_base64url_characters, read_json_object
from daypass.jwk import ALGORITHMS, MAX_KEY_ID, KeySet, is_key_id

__all__ = [
    "ALGORITHMS",
    "KeySet",
    "UnverifiedJws",
    "UnverifiedToken",
    "VerifiedToken",
    "parse",
    "verify",
    "verify_payload",
]

MAX_TOKEN: Final = 20_000  # characters; the STS model's bound of WebIdentityToken
MAX_HEADER: Final = 8_192  # characters, encoded; room for an x5c chain that we ignore but providers send


class UnverifiedJws:
    """A compact JWS taken apart; nothing in it has been verified.

    It is made from the text alone, so what it says is always what its signature covers. The header members ``jwk``,
    ``jku``, ``x5u`` and ``x5c`` may be present, because some providers send them, and are never read: keys come from
    the registration. Raises ProofError.
    """

    __slots__ = ("algorithm", "key_id", "signature", "signing_input", "type", "unverified_header", "unverified_payload")

    def __init__(self, text: str) -> None:
        """
        1. size, before anything is decoded;
        2. three segments of base64url (RFC 7515 section 7.1), no other character;
        3. the header, a strict JSON object;
        4. extensions that change the meaning are refused: crit (even empty), b64, zip, enc;
        5. the algorithm, of the closed list; then key id and type, strings if present;
        6. the payload and the signature, decoded strictly.
        """
        if len(text) > MAX_TOKEN:  # 1
            raise ProofError(Reason.TOKEN_TOO_LARGE, f"The token is longer than {MAX_TOKEN} characters.")
        header, payload, signature = _segments(text)  # 2
        if len(header) > MAX_HEADER:
            raise ProofError(Reason.TOKEN_TOO_LARGE, f"The token's header is longer than {MAX_HEADER} characters.")
        members = _header(header)  # 3, 4, 5
        self.unverified_header: Final[Mapping[str, Any]] = members
        self.algorithm: Final[str] = members["alg"]
        self.key_id: Final[str | None] = members.get("kid")
        self.type: Final[str | None] = members.get("typ")
        self.unverified_payload: Final = decode_base64url_characters(payload)  # 6
        self.signing_input: Final = header + b"." + payload
        self.signature: Final = decode_base64url_characters(signature)
        if not self.signature:
            raise ProofError(Reason.TOKEN_MALFORMED, "The token has no signature.")


class UnverifiedToken(UnverifiedJws):
    """A JWT: a compact JWS whose payload is a JSON object of claims. Nothing in it has been verified."""

    __slots__ = ("unverified_claims",)

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.unverified_claims: Final[Mapping[str, Any]] = MappingProxyType(read_json_object(self.unverified_payload))

    @property
    def unverified_issuer(self) -> str:
        """What the token says its issuer is, to look the registration up by. Raises ProofError when it is no string."""
        issuer = self.unverified_claims.get("iss")
        if not isinstance(issuer, str):
            raise ProofError(Reason.CLAIM_MISSING, "The token has no issuer (iss).")
        return issuer


class VerifiedToken(msgspec.Struct, frozen=True):
    """Claims and header whose signature one of the given keys made. Made by ``verify`` only."""

    claims: Mapping[str, Any]
    header: Mapping[str, Any]

    def __repr__(self) -> str:
        return "VerifiedToken(...)"


def parse(text: str) -> UnverifiedToken:
    """Take a JWT apart, strictly. Raises ProofError, and nothing else, whatever the text."""
    return UnverifiedToken(text)


def verify(token: UnverifiedToken, keys: KeySet, algorithms: Set[str]) -> VerifiedToken:
    """The token's claims, if one of these keys signed them with one of these algorithms. Raises ProofError.

    **It does not look at the claims**: the caller still owes issuer, audience, times and type.
    """
    verify_payload(token, keys, algorithms)
    return VerifiedToken(token.unverified_claims, token.unverified_header)


def verify_payload(jws: UnverifiedJws, keys: KeySet, algorithms: Set[str]) -> bytes:
    """
    The payload, if one of these keys made its signature with one of these algorithms (RFC 7515 section 5.2).

    1. The algorithm, before any key is chosen: the list is the caller's, never the message's (RFC 8725 section 3.1).
    2. The key, which fits both the key id and the algorithm; exactly one, or it is refused.
    3. The signature, last because it costs the most.

    Raises ProofError.
    """
    if jws.algorithm not in algorithms:  # 1
        raise ProofError(Reason.TOKEN_ALGORITHM_REFUSED, "The token's signature algorithm is not accepted.")
    verifier = keys.choose(jws.key_id, jws.algorithm)  # 2
    try:
        verifier(jws.signature, jws.signing_input)  # 3
    except InvalidSignature:
        raise ProofError(Reason.TOKEN_SIGNATURE_INVALID, "The token's signature is not valid.") from None
    return jws.unverified_payload


def _segments(text: str) -> tuple[bytes, bytes, bytes]:
    """The three segments of a compact JWS, each of base64url characters only."""
    try:
        raw = text.encode("ascii")
    except UnicodeEncodeError:
        raise ProofError(Reason.TOKEN_MALFORMED, "The token has a character that is not base64url.") from None
    rest = raw.translate(None, BASE64URL)
    if rest == b"....":
        raise ProofError(Reason.TOKEN_ENCRYPTED, "Encrypted tokens are not accepted.")
    if rest != b"..":
        raise ProofError(Reason.TOKEN_MALFORMED, "Expected three segments of base64url, joined by dots.")
    header, payload, signature = raw.split(b".")
    return header, payload, signature


@functools.lru_cache(maxsize=128)  # the tokens of one key share their header; at most 128 of MAX_HEADER characters
def _header(segment: bytes) -> Mapping[str, Any]:
    members = read_json_object(decode_base64url_characters(segment))
    if not members.keys().isdisjoint(("crit", "b64", "zip")):
        raise ProofError(Reason.TOKEN_HEADER_REFUSED, "The token's header has an extension that is not supported.")
    if "enc" in members:
        raise ProofError(Reason.TOKEN_ENCRYPTED, "Encrypted tokens are not accepted.")
    algorithm = members.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise ProofError(Reason.TOKEN_ALGORITHM_REFUSED, "The token's signature algorithm is not accepted.")
    if "kid" in members and not is_key_id(members["kid"]):
        raise ProofError(Reason.TOKEN_MALFORMED, f"Expected a key id of 1 to {MAX_KEY_ID} characters.")
    if "typ" in members and not isinstance(members["typ"], str):
        raise ProofError(Reason.TOKEN_MALFORMED, "Expected the token's type to be a string.")
    return MappingProxyType(members)
