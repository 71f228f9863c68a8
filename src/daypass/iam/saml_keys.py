# SPDX-License-Identifier: Apache-2.0
"""
The private keys of SAML providers, with which we decrypt their assertions (IAM API, UpdateSAMLProvider: AddPrivateKey,
RemovePrivateKey). Two at most, so that an old one is good until the provider encrypts for the new one.

Stored under the master key, never shown; the label binds each to its provider and key id.
"""

from __future__ import annotations

import asyncio

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from daypass.credentials import new_saml_id
from daypass.errors import EntityError, Reason
from daypass.federation.saml import private_key_label
from daypass.iam.limits import PRIVATE_KEY_CHARACTERS, PRIVATE_KEYS_PER_SAML_PROVIDER, SAML_KEY_BITS
from daypass.sealing import MasterKey
from daypass.store import SamlPrivateKey


async def new_private_key(pem: str, provider_arn: str, master: MasterKey, now: int) -> SamlPrivateKey:
    """
    A key from PEM, as it is stored. Raises EntityError (INVALID_INPUT) unless it is an RSA key of a size that is taken, without
    a passphrase.

    Reading one checks that its numbers belong together, which takes too long for the event loop.
    """
    key = await asyncio.to_thread(_read, pem)
    key_id = new_saml_id()
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return SamlPrivateKey(key_id, master.wrap(der, private_key_label(provider_arn, key_id)), now)


def _read(pem: str) -> rsa.RSAPrivateKey:
    if len(pem) > PRIVATE_KEY_CHARACTERS:
        raise _invalid()
    try:
        key = load_pem_private_key(pem.strip().encode("latin-1", "replace"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # a TypeError is a passphrase that is missing
        raise _invalid() from None
    shortest, longest = SAML_KEY_BITS
    if not isinstance(key, rsa.RSAPrivateKey) or not shortest <= key.key_size <= longest:
        raise _invalid()
    return key


def _invalid() -> EntityError:
    return EntityError(Reason.INVALID_INPUT, "Invalid private key.")


def with_key(keys: tuple[SamlPrivateKey, ...], new: SamlPrivateKey) -> tuple[SamlPrivateKey, ...]:
    """The keys and one more. Raises EntityError (LIMIT_EXCEEDED) when there are two."""
    if len(keys) >= PRIVATE_KEYS_PER_SAML_PROVIDER:
        message = f"Private key limit of {PRIVATE_KEYS_PER_SAML_PROVIDER} is reached."
        raise EntityError(Reason.LIMIT_EXCEEDED, message)
    return (*keys, new)


def without_key(keys: tuple[SamlPrivateKey, ...], key_id: str, mode: str | None) -> tuple[SamlPrivateKey, ...]:
    """
    The keys without one. Raises EntityError (INVALID_INPUT) when it is not among them, and when it is the last one of a
    provider whose assertions must be encrypted.
    """
    left = tuple(key for key in keys if key.key_id != key_id)
    if len(left) == len(keys):
        message = "Failed to remove private key because the Key ID does not match a private key."
        raise EntityError(Reason.INVALID_INPUT, message)
    if not left and mode == "Required":
        raise EntityError(Reason.INVALID_INPUT, "Failed to remove private key.")
    return left
