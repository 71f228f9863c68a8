# SPDX-License-Identifier: Apache-2.0
"""
The keys of the development identity provider: made at random at every start, never written anywhere.

Signs JWTs (RFC 7515, RFC 7519) with RS256 or ES256 (RFC 7518), and publishes the public halves (RFC 7517).
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Final, Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

Algorithm = Literal["RS256", "ES256"]

ALGORITHMS: Final[tuple[Algorithm, ...]] = ("RS256", "ES256")
_P256_OCTETS: Final = 32  # of each number of a P-256 signature or point; RFC 7518 sections 3.4 and 6.2.1


class SigningKeys:
    """One RSA key of 2048 bits and one P-256 key."""

    def __init__(self) -> None:
        self._rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._ec = ec.generate_private_key(ec.SECP256R1())
        self._key_ids: Final[Mapping[Algorithm, str]] = {
            algorithm: f"development-{algorithm.lower()}-{secrets.token_hex(4)}" for algorithm in ALGORITHMS
        }

    def public_key_set(self) -> dict[str, list[dict[str, str]]]:
        """The JWK set to publish."""
        rsa_numbers, point = self._rsa.public_key().public_numbers(), self._ec.public_key().public_numbers()
        modulus = _number(rsa_numbers.n, (rsa_numbers.n.bit_length() + 7) // 8)
        return {
            "keys": [
                {"kty": "RSA", **self._about("RS256"), "n": modulus, "e": _number(rsa_numbers.e, 3)},
                {
                    "kty": "EC",
                    **self._about("ES256"),
                    "crv": "P-256",
                    "x": _number(point.x, _P256_OCTETS),
                    "y": _number(point.y, _P256_OCTETS),
                },
            ]
        }

    def sign(self, claims: Mapping[str, object], algorithm: Algorithm) -> str:
        """The claims as a compact JWS."""
        header = {"alg": algorithm, "kid": self._key_ids[algorithm], "typ": "JWT"}
        signing_input = f"{_segment(header)}.{_segment(claims)}"
        return f"{signing_input}.{base64url(self._signature(signing_input.encode('ascii'), algorithm))}"

    def _signature(self, signing_input: bytes, algorithm: Algorithm) -> bytes:
        if algorithm == "RS256":
            return self._rsa.sign(signing_input, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self._ec.sign(signing_input, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(_P256_OCTETS, "big") + s.to_bytes(_P256_OCTETS, "big")

    def _about(self, algorithm: Algorithm) -> dict[str, str]:
        return {"use": "sig", "alg": algorithm, "kid": self._key_ids[algorithm]}


def base64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _segment(members: Mapping[str, object]) -> str:
    return base64url(json.dumps(members, separators=(",", ":")).encode("utf-8"))


def _number(value: int, octets: int) -> str:
    return base64url(value.to_bytes(octets, "big"))
