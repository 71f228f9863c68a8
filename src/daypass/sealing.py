# SPDX-License-Identifier: Apache-2.0
"""
Sealing: what leaves the process and must come back unread and unchanged (docs/adr/0003-sealed-session-tokens.md).

    master key ── wraps ──> sealing keys (the ring) ── HKDF, a random salt each ──> one AES-256-GCM key per box

A box is ``version | kind | key id (4) | salt (32) | commitment (32) | ciphertext and tag``, in padded base64. Everything
before the ciphertext, and the label the caller gives (the access key id), is authenticated. The commitment comes from the
same derivation as the key and is compared before anything is decrypted, so a box opens under one key only.

A key per box keeps the nonce fixed: 2**32 random nonces under one key would be used up in days (NIST SP 800-38D, 8.3).
What is inside a box, and for how long it is good, is for ``daypass.sessions``; where wrapped keys live is for the store.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from daypass.errors import AuthenticationError, ConfigurationError, Reason
from daypass.randomness import public_random_bytes

MASTER_KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 4
MAXIMUM_TOKEN_CHARACTERS: Final = 16_384
"""Longer tokens are refused unread; ours stay under 8,192 with every tag and policy in them, AWS's under 4,096."""

ACCEPTED_AFTER_RETIREMENT_SECONDS: Final = 36 * 3600
"""A retired key still opens for the longest session there is (GetSessionToken, GetFederationToken: 36 hours)."""

_VERSION: Final = 1
_SALT: Final = 32
_COMMITMENT: Final = 32
_TAG: Final = 16
_SALT_AT: Final = 2 + KEY_ID_BYTES
_HEADER: Final = _SALT_AT + _SALT
_CIPHERTEXT_AT: Final = _HEADER + _COMMITMENT
_FIXED_NONCE: Final = bytes(12)
_HEX_MASTER = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


class MasterKey:
    """The key that wraps everything secret in the store. It has no default value and does not print."""

    __slots__ = ("_box",)

    def __init__(self, material: bytes) -> None:
        if len(material) != MASTER_KEY_BYTES:
            raise ConfigurationError(Reason.MASTER_KEY_INVALID, _MASTER_KEY_FORM)
        self._box = AESGCM(material)

    @classmethod
    def parse(cls, text: str) -> MasterKey:
        """Read a master key: 32 bytes as base64 or as 64 hexadecimal digits. Raises ConfigurationError otherwise."""
        text = text.strip()
        try:
            material = bytes.fromhex(text) if _HEX_MASTER.fullmatch(text) else base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise ConfigurationError(Reason.MASTER_KEY_INVALID, _MASTER_KEY_FORM) from None
        return cls(material)

    @staticmethod
    def generate() -> str:
        """A fresh master key in the form that ``parse`` reads."""
        return base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode("ascii")

    def wrap(self, material: bytes, label: bytes) -> bytes:
        """Encrypt for the store, bound to a label (what it is, and of whom)."""
        nonce = secrets.token_bytes(12)
        return nonce + self._box.encrypt(nonce, material, label)

    def unwrap(self, wrapped: bytes, label: bytes) -> bytes:
        """The reverse of ``wrap``. Raises ConfigurationError when this is not the key, or not the label."""
        try:
            return self._box.decrypt(wrapped[:12], wrapped[12:], label)
        except (InvalidTag, ValueError):
            message = "the master key does not open what this store holds; was it replaced?"
            raise ConfigurationError(Reason.MASTER_KEY_INVALID, message) from None


_MASTER_KEY_FORM = "expected a master key of 32 bytes, as base64 or as 64 hexadecimal digits"


@dataclass(frozen=True, slots=True)
class RingKey:
    """One key of the ring. Instants are seconds since the epoch; ``retire_at`` is None while no end is set."""

    key_id: bytes
    seal_material: bytes = field(repr=False)
    secret_material: bytes = field(repr=False)
    active_from: float
    retire_at: float | None = None

    def opens_no_more(self, now: float) -> bool:
        """Whether it was retired so long ago that every session made with it has ended."""
        return self.retire_at is not None and now >= self.retire_at + ACCEPTED_AFTER_RETIREMENT_SECONDS

    @classmethod
    def unwrap(
        cls, master: MasterKey, *, key_id: bytes, wrapped: bytes, active_from: float, retire_at: float | None
    ) -> RingKey:
        """A ring key as the store holds it, opened with the master key."""
        material = master.unwrap(wrapped, _ring_label(key_id))
        return cls(key_id, material[:32], material[32:], active_from, retire_at)


class Derivation:
    """What is derived from one key of the ring, with its two HMACs keyed beforehand: keying takes half of their time."""

    __slots__ = ("_box", "_secret", "key")

    def __init__(self, key: RingKey) -> None:
        self.key = key
        self._box = hmac.new(key.seal_material, b"daypass box v1" + key.key_id, "sha512")
        self._secret = hmac.new(key.secret_material, b"daypass secret v1", "sha256")

    def box(self, salt: bytes) -> tuple[bytes, bytes]:
        """
        The key of a box and its commitment: HKDF-Expand with SHA-512 to 64 bytes, which is one HMAC. The ring key is
        uniformly random, so nothing has to be extracted from it first (RFC 5869, section 3.3); the salt is info.
        """
        mac = self._box.copy()
        mac.update(salt + b"\x01")
        material = mac.digest()
        return material[:32], material[32:]

    def secret(self, salt: bytes, label: str) -> str:
        """The secret access key that belongs to a box. It never travels inside it, and comes from the other half."""
        mac = self._secret.copy()
        mac.update(salt + label.encode("ascii"))
        return binascii.b2a_base64(mac.digest()[:30], newline=False).decode("ascii")


def new_ring_key(master: MasterKey) -> tuple[bytes, bytes]:
    """A fresh sealing key for the store: its id (4 bytes) and its material, wrapped."""
    key_id = secrets.token_bytes(KEY_ID_BYTES)
    return key_id, master.wrap(secrets.token_bytes(64), _ring_label(key_id))


def _ring_label(key_id: bytes) -> bytes:
    return b"daypass sealing key v1 " + key_id


class Sealed(msgspec.Struct, frozen=True):
    """A box and the secret derived beside it: 40 characters, as long as a secret access key of AWS."""

    token: str
    secret: str

    def __repr__(self) -> str:
        return "Sealed(...)"


class Opened(msgspec.Struct, frozen=True):
    """What was in a box, and the secret derived beside it."""

    content: bytes
    secret: str

    def __repr__(self) -> str:
        return "Opened(...)"


class KeyRing:
    """The sealing keys that are known, by id. Seals with the newest active one; opens with the one the box names."""

    __slots__ = ("_by_id", "_newest_first")

    def __init__(self, keys: Iterable[RingKey]) -> None:
        newest_first = sorted(keys, key=lambda key: key.active_from, reverse=True)
        self._newest_first = [Derivation(key) for key in newest_first]
        self._by_id = {derivation.key.key_id: derivation for derivation in self._newest_first}

    def seal(self, content: bytes, *, kind: int, label: str, now: float) -> Sealed:
        """Seal ``content`` under the newest key that is active. ``kind`` (0 to 255) says what sort of box this is."""
        derivation = self._active(now)
        head = bytes((_VERSION, kind)) + derivation.key.key_id + public_random_bytes(_SALT)
        box_key, commitment = derivation.box(head[_SALT_AT:])
        head += commitment
        box = AESGCM(box_key).encrypt(_FIXED_NONCE, content, head + label.encode("ascii"))
        token = binascii.b2a_base64(head + box, newline=False).decode("ascii")
        return Sealed(token, derivation.secret(head[_SALT_AT:_HEADER], label))

    def open(self, token: str, *, kind: int, label: str, now: float) -> Opened:
        """
        Open a box that ``seal`` made with the same kind and label. The steps, each of which may refuse:

        1. the size is bounded before anything is decoded;
        2. the base64 is the one that encodes these bytes (no stray bits, no white space), the version and kind ours;
        3. the key id names a key of the ring that still opens: no key is tried that the box does not name;
        4. the commitment agrees, in constant time;
        5. the tag agrees over the header, the label and the content.

        Raises AuthenticationError. **It does not look at what is inside: expiry is the caller's to check.**
        """
        raw = _decode(token)
        if raw[0] != _VERSION or raw[1] != kind:
            raise AuthenticationError(Reason.SEAL_MALFORMED, _UNREADABLE)
        derivation = self._by_id.get(raw[2:_SALT_AT])
        if derivation is None or derivation.key.opens_no_more(now):
            raise AuthenticationError(Reason.SEAL_UNKNOWN_KEY, _UNREADABLE)
        salt = raw[_SALT_AT:_HEADER]
        box_key, commitment = derivation.box(salt)
        if not hmac.compare_digest(commitment, raw[_HEADER:_CIPHERTEXT_AT]):
            raise AuthenticationError(Reason.SEAL_BROKEN, _UNREADABLE)
        try:
            associated = raw[:_CIPHERTEXT_AT] + label.encode("ascii")
            content = AESGCM(box_key).decrypt(_FIXED_NONCE, raw[_CIPHERTEXT_AT:], associated)
        except (InvalidTag, UnicodeEncodeError):
            raise AuthenticationError(Reason.SEAL_BROKEN, _UNREADABLE) from None
        return Opened(content, derivation.secret(salt, label))

    def _active(self, now: float) -> Derivation:
        for derivation in self._newest_first:
            key = derivation.key
            if key.active_from <= now and (key.retire_at is None or now < key.retire_at):
                return derivation
        raise ConfigurationError(Reason.SEALING_KEY_MISSING, "no sealing key is active")


_UNREADABLE = "The security token included in the request is invalid."


def _decode(token: str) -> bytes:
    if len(token) > MAXIMUM_TOKEN_CHARACTERS:
        raise AuthenticationError(Reason.SEAL_MALFORMED, _UNREADABLE)
    try:
        raw = base64.b64decode(token, validate=True)
    except ValueError:  # binascii.Error is one; characters outside ASCII raise its parent
        raise AuthenticationError(Reason.SEAL_MALFORMED, _UNREADABLE) from None
    if len(raw) < _CIPHERTEXT_AT + _TAG or base64.b64encode(raw) != token.encode("ascii"):
        raise AuthenticationError(Reason.SEAL_MALFORMED, _UNREADABLE)
    return raw
