# SPDX-License-Identifier: Apache-2.0
"""What the caller brings to a verification: whom to trust, and what is expected. Nothing here comes from a message."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from daypass.saml.limits import DEFAULT_LEEWAY, MAX_AGE, MAX_LEEWAY


@dataclass(frozen=True, slots=True)
class Trust:
    """
    A registered identity provider: its name, its keys, and what it opted in to.

    - ``certificates``: DER; only these keys are tried. Their validity does not matter, as the SAML V2.0 Metadata
      Interoperability Profile (2.5.1) has it: being registered is what makes a key good.
    - ``allow_sha1``, ``allow_small_rsa``, ``allow_cbc``: refused unless the provider opted in.
    - ``decryption_keys``: ours, the newest first; two while they are changed.
    - ``encryption_required``: a plain assertion is refused (AssertionEncryptionMode ``Required``).
    """

    entity_id: str
    certificates: tuple[bytes, ...]
    allow_sha1: bool = False
    allow_small_rsa: bool = False
    allow_cbc: bool = False
    decryption_keys: tuple[RSAPrivateKey, ...] = field(default=(), repr=False)
    encryption_required: bool = False


@dataclass(frozen=True, slots=True)
class Expectations:
    """
    What a response must say to be for us, now.

    - ``audiences``, ``recipients``: compared whole; an empty tuple accepts nothing. Recipients are the destinations too.
    - ``request_ids``: the requests that may be answered. None: none was sent, and a response that answers one is refused.
      A set: the response must answer one of them, or none (a sign-in that the identity provider began).
    - ``leeway``: seconds that clocks may differ, in the assertion's favour; at most MAX_LEEWAY.
    - ``max_age``: seconds after its issue in which an assertion is taken, whatever its own times allow (AWS: "Token must be
      redeemed within 5 minutes of issuance"); None for as long as it says.
    """

    audiences: tuple[str, ...]
    recipients: tuple[str, ...]
    now: float
    request_ids: frozenset[str] | None = None
    leeway: float = DEFAULT_LEEWAY
    max_age: float | None = MAX_AGE

    def __post_init__(self) -> None:
        if not 0 <= self.leeway <= MAX_LEEWAY:
            raise ValueError("leeway out of range")
        if type(self.audiences) is not tuple or type(self.recipients) is not tuple:
            raise TypeError("expected tuples: in a string, ``in`` would look for a part of it")
