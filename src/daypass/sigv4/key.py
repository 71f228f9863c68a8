# SPDX-License-Identifier: Apache-2.0
"""
Signing keys: their derivation from a secret access key, and a bounded cache of derived ones.

A signing key is good for one day, region and service (IAM User Guide, "Create a signed AWS API request", step 4). The
derivation takes four HMACs; a client keeps the same scope all day, so keeping the result saves most of a verification.
"""

from __future__ import annotations

import functools
import hmac
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

from daypass.sigv4.limits import MAX_CACHED_SIGNING_KEYS


class Scoped(Protocol):
    """Whatever names an access key and a scope: a credential in a header, in a query or in a form."""

    @property
    def access_key_id(self) -> str: ...
    @property
    def date(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def service(self) -> str: ...


_SHA256: Final = "sha256"


class SigningKey(bytes):
    """A signing key: 32 bytes. Its HMAC is keyed at the first signature, for that takes half of the time of one."""

    _keyed: hmac.HMAC | None = None

    def sign(self, text: bytes) -> str:
        """The signature of a string to sign: 64 hexadecimal digits in lower case."""
        if self._keyed is None:
            self._keyed = hmac.new(self, None, _SHA256)
        mac = self._keyed.copy()
        mac.update(text)
        return mac.hexdigest()


SigningKeyProvider = Callable[[Scoped], bytes]
"""Returns the signing key (32 bytes) for the scope of a credential."""


def derive_signing_key(secret: bytes, date: str, region: str, service: str) -> SigningKey:
    """The signing key of a secret access key for one day (``20150830``), region and service."""
    key = hmac.digest(b"AWS4" + secret, date.encode(), _SHA256)
    key = hmac.digest(key, region.encode(), _SHA256)
    key = hmac.digest(key, service.encode(), _SHA256)
    return SigningKey(hmac.digest(key, b"aws4_request", _SHA256))


def signing_key(secret: bytes | SigningKeyProvider, scoped: Scoped) -> SigningKey:
    """The signing key for a scope, from a secret access key or from a provider of derived keys."""
    if isinstance(secret, bytes):
        return derive_signing_key(secret, scoped.date, scoped.region, scoped.service)
    key = secret(scoped)
    return key if isinstance(key, SigningKey) else SigningKey(key)


class SigningKeyCache:
    """Derived keys by access key id, secret, date, region and service; the least recently used goes first.

    The key of a secret that has changed is never found, so nothing needs to be told of a rotation. Keys
    of unknown access key ids are kept like all others: whether one is known must not show in the time that a refusal takes.
    """

    def __init__(self, capacity: int = MAX_CACHED_SIGNING_KEYS) -> None:
        if capacity < 1:
            raise ValueError("the capacity of a cache of signing keys is at least 1")
        self._capacity = capacity
        self._keys: OrderedDict[tuple[str, bytes, str, str, str], SigningKey] = OrderedDict()

    def __len__(self) -> int:
        return len(self._keys)

    def of(self, secret: bytes) -> SigningKeyProvider:
        """A provider for one secret access key, to be handed to ``verify_signature``."""
        return functools.partial(self._find_or_derive, secret)

    def _find_or_derive(self, secret: bytes, scoped: Scoped) -> SigningKey:
        date, region, service = scoped.date, scoped.region, scoped.service
        name = (scoped.access_key_id, secret, date, region, service)
        # Taken out and put back as the latest; a second thread that comes between derives the same key once more.
        key = self._keys.pop(name, None)
        self._keys[name] = key = key or derive_signing_key(secret, date, region, service)
        if len(self._keys) > self._capacity:
            self._keys.popitem(last=False)
        return key
