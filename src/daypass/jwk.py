# SPDX-License-Identifier: Apache-2.0
"""
Key sets (JWK, RFC 7517) and what their keys verify (JWA, RFC 7518; RFC 8037; RFC 9864).

Pure. Public signature keys only; each is loaded once, and carries a verifier for every algorithm that it is for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from daypass.errors import ProofError, Reason
from daypass.jsontext import decode_base64url, read_json_object

MAX_KEY_ID: Final = 256  # characters; the longest seen are certificate thumbprints and UUIDs
MAX_KEY_SET: Final = 512 * 1024  # octets
MAX_KEYS: Final = 200  # in a set; STS reads at most 100 RSA and 100 EC keys
MIN_RSA_BITS: Final = 2048  # RFC 7518 sections 3.3 and 3.5
MAX_RSA_BITS: Final = 8192  # a verification of this size costs 15 times one of 2048 bits; nobody publishes larger keys

Verifier = Callable[[bytes, bytes], object]
"""Takes a signature and what was signed. Raises InvalidSignature."""

_HASHES: Final = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_RSA_PADDINGS: Final[Mapping[str, padding.AsymmetricPadding]] = {
    **{f"RS{bits}": padding.PKCS1v15() for bits in _HASHES},
    # RFC 7518 section 3.5: the salt is as long as the hash's output.
    **{f"PS{bits}": padding.PSS(padding.MGF1(hash_), hash_.digest_size) for bits, hash_ in _HASHES.items()},
}
_CURVES: Final[Mapping[str, tuple[str, ec.EllipticCurve]]] = {
    "P-256": ("ES256", ec.SECP256R1()),
    "P-384": ("ES384", ec.SECP384R1()),
    "P-521": ("ES512", ec.SECP521R1()),
}
# RFC 9864 names the curve; RFC 8037's EdDSA means Ed25519 here, Ed448 not being in use by any provider we know of.
_EDWARDS: Final = ("EdDSA", "Ed25519")

ALGORITHMS: Final = frozenset({*_RSA_PADDINGS, *(name for name, _ in _CURVES.values()), *_EDWARDS})
"""Every signature algorithm that can be verified here."""


class KeySet:
    """The public keys of one issuer (RFC 7517 section 5), loaded once. ``skipped`` counts the entries not usable here."""

    __slots__ = ("_by_algorithm", "_by_key_id", "_key_ids", "skipped")

    def __init__(self, keys: Collection[_Key], skipped: int = 0) -> None:
        self.skipped: Final = skipped
        self._key_ids = frozenset(key.key_id for key in keys if key.key_id is not None)
        self._by_key_id: dict[tuple[str | None, str], dict[object, Verifier]] = {}
        self._by_algorithm: dict[str, dict[object, Verifier]] = {}
        for key in keys:
            for algorithm, verifier in key.verifiers.items():
                # By the key's numbers: a key that is listed twice is one key.
                self._by_key_id.setdefault((key.key_id, algorithm), {})[key.numbers] = verifier
                self._by_algorithm.setdefault(algorithm, {})[key.numbers] = verifier

    def __len__(self) -> int:
        return len({numbers for verifiers in self._by_algorithm.values() for numbers in verifiers})

    @classmethod
    def parse(cls, data: bytes) -> KeySet:
        """Read a JWK set. Keys that cannot be used are skipped and counted; one bad key must not silence the rest.

        Raises ProofError when the document itself is malformed or too large.
        """
        if len(data) > MAX_KEY_SET:
            raise ProofError(Reason.KEY_SET_TOO_LARGE, f"The key set is larger than {MAX_KEY_SET} octets.")
        entries = read_json_object(data).get("keys")
        if not isinstance(entries, list):
            raise ProofError(Reason.KEY_SET_MALFORMED, "The key set has no list of keys.")
        if len(entries) > MAX_KEYS:
            raise ProofError(Reason.KEY_SET_TOO_LARGE, f"The key set has more than {MAX_KEYS} keys.")
        keys = [key for entry in entries if (key := _usable_key(entry)) is not None]
        return cls(keys, len(entries) - len(keys))

    def choose(self, key_id: str | None, algorithm: str) -> Verifier:
        """The one key for this key id and algorithm. Raises ProofError.

        Without a key id, the set must have exactly one key that fits the algorithm (OpenID Connect Core 10.1): trying
        several would let a forger have each of them tested, and leave open which key it was that vouched. For the same
        reason two different keys under one key id and algorithm are refused, whatever their order.
        """
        fitting = self._by_algorithm.get(algorithm) if key_id is None else self._by_key_id.get((key_id, algorithm))
        if not fitting:
            if key_id in self._key_ids:
                raise ProofError(Reason.KEY_UNSUITABLE, "The key that the token names is not for its algorithm.")
            raise ProofError(Reason.KEY_UNKNOWN, "The token is signed with a key that its issuer does not publish.")
        if len(fitting) > 1:
            raise ProofError(Reason.KEY_AMBIGUOUS, "More than one of the issuer's keys could have signed the token.")
        return next(iter(fitting.values()))


@dataclass(frozen=True, slots=True)
class _Key:
    """A public key: what it is called, how to tell it from others, and a verifier for each algorithm it is for."""

    key_id: str | None
    numbers: object
    verifiers: Mapping[str, Verifier]


class _NotUsable(Exception):  # noqa: N818 - an entry to skip, not an error; it never leaves this module
    """A JWK that is no public signature key of a kind that can be used here."""


def _usable_key(entry: object) -> _Key | None:
    if not isinstance(entry, dict):
        return None
    try:
        return _key(entry)
    except (_NotUsable, ProofError, ValueError, UnsupportedAlgorithm):  # a bad number, a point off its curve
        return None


def _key(jwk: Mapping[str, Any]) -> _Key:
    """
    1. Its purpose is signatures (``use``, ``key_ops``), and it is public: who publishes a private key has lost it.
    2. Its key id is a string, if there is one.
    3. Its type's own rules.
    4. Its ``alg``, if there is one, narrows what it verifies; RFC 7517 section 4.4, RFC 8725 section 3.1.
    """
    if jwk.get("use", "sig") != "sig" or "verify" not in _list(jwk.get("key_ops", ["verify"])):  # 1
        raise _NotUsable
    if not jwk.keys().isdisjoint(("d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv")):
        raise _NotUsable
    key_id = jwk.get("kid")
    if key_id is not None and not is_key_id(key_id):  # 2
        raise _NotUsable
    kind = jwk.get("kty")
    loader = _LOADERS.get(kind) if isinstance(kind, str) else None
    if loader is None:
        raise _NotUsable
    numbers, verifiers = loader(jwk)  # 3
    if "alg" in jwk:  # 4
        verifiers = {name: verifier for name, verifier in verifiers.items() if name == jwk["alg"]}
    if not verifiers:
        raise _NotUsable
    return _Key(key_id, numbers, verifiers)


_Loaded = tuple[object, Mapping[str, Verifier]]
_Loader = Callable[[Mapping[str, Any]], _Loaded]


def _load_rsa(jwk: Mapping[str, Any]) -> _Loaded:
    """RFC 7518 section 6.3. The exponent is odd, at least 3, and fits 31 bits, as Go and Windows demand too."""
    modulus, exponent = _number(jwk, "n"), _number(jwk, "e")
    if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS or modulus % 2 == 0 or _is_roca(modulus):
        raise _NotUsable
    if exponent < 3 or exponent % 2 == 0 or exponent.bit_length() > 31:
        raise _NotUsable
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    verifiers = {name: _rsa_verifier(public, pad, _HASHES[name[2:]]) for name, pad in _RSA_PADDINGS.items()}
    return ("RSA", modulus, exponent), verifiers


def _rsa_verifier(public: rsa.RSAPublicKey, pad: padding.AsymmetricPadding, digest: hashes.HashAlgorithm) -> Verifier:
    def verifier(signature: bytes, data: bytes) -> None:
        public.verify(signature, data, pad, digest)

    return verifier


def _load_ec(jwk: Mapping[str, Any]) -> _Loaded:
    """RFC 7518 section 6.2: the coordinates have the curve's full length, and the curve decides the algorithm."""
    name, curve = _CURVES.get(str(jwk.get("crv"))) or _refuse_key()
    size = (curve.key_size + 7) // 8
    x, y = decode_base64url(_text(jwk, "x")), decode_base64url(_text(jwk, "y"))
    if len(x) != size or len(y) != size:
        raise _NotUsable
    public = ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + x + y)
    algorithm = ec.ECDSA(_HASHES[name[2:]])

    def verifier(signature: bytes, data: bytes) -> None:
        if len(signature) != 2 * size:  # RFC 7518 section 3.4: R and S, each of full length
            raise InvalidSignature
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        public.verify(encode_dss_signature(r, s), data, algorithm)

    return ("EC", curve.name, x, y), {name: verifier}


def _load_okp(jwk: Mapping[str, Any]) -> _Loaded:
    """RFC 8037 section 2."""
    if jwk.get("crv") != "Ed25519":
        raise _NotUsable
    x = decode_base64url(_text(jwk, "x"))
    public = ed25519.Ed25519PublicKey.from_public_bytes(x)
    return ("OKP", x), dict.fromkeys(_EDWARDS, public.verify)


_LOADERS: Final[Mapping[str, _Loader]] = {"RSA": _load_rsa, "EC": _load_ec, "OKP": _load_okp}


def _refuse_key() -> NoReturn:
    raise _NotUsable


def is_key_id(value: object) -> bool:
    """Whether a ``kid`` is a string of 1 to MAX_KEY_ID characters; it is compared, and never interpreted."""
    return isinstance(value, str) and 0 < len(value) <= MAX_KEY_ID


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str) or not value.isascii():
        raise _NotUsable
    return value.encode("ascii")


def _number(jwk: Mapping[str, Any], name: str) -> int:
    text = _text(jwk, name)
    if len(text) > MAX_RSA_BITS // 6 + 4:
        raise _NotUsable
    return int.from_bytes(decode_base64url(text), "big")


# Moduli of the generator of CVE-2017-15361 are, modulo every small prime, a power of 65537; others are so with a
# probability below 2**-27 (Nemec and others, "The Return of Coppersmith's Attack", 2017, section 3.2).
_ROCA_RESIDUES: Final = {
    prime: frozenset(pow(65537, power, prime) for power in range(prime))
    for prime in range(3, 168)
    if all(prime % divisor for divisor in range(2, prime))
}


def _is_roca(modulus: int) -> bool:
    return all(modulus % prime in residues for prime, residues in _ROCA_RESIDUES.items())
