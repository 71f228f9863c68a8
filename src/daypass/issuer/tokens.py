# SPDX-License-Identifier: Apache-2.0
"""The issuers of all accounts: their URLs, and tokens signed in their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from daypass.errors import Reason, RequestError
from daypass.issuer.documents import configuration, issuer_url, key_set
from daypass.issuer.keys import is_enabled, private_key, published_keys, signing_key
from daypass.issuer.signing import Algorithm, compact_token
from daypass.sealing import MasterKey
from daypass.store import View

MAX_CLAIMS: Final = 14_600
"""
Octets of claims. The token then has fewer than 20,000 characters, which is all that AssumeRoleWithWebIdentity reads (STS
API: WebIdentityToken). AWS does not publish its own bound; it is of this size.
"""


class Documents(msgspec.Struct, frozen=True):
    """What an issuer publishes, as JSON."""

    configuration: bytes
    key_set: bytes


class TokenIssuer:
    """
    Signs in the name of an account's issuer. ``public_url`` is the URL at which clients reach this service, without a slash at
    its end; ``current_view`` is asked at every token, so that a key that was withdrawn signs no more.
    """

    def __init__(self, public_url: str, master: MasterKey, current_view: Callable[[], View]) -> None:
        self._public_url = public_url
        self._master = master
        self._current_view = current_view

    def url(self, account: str) -> str:
        """The issuer of an account."""
        return issuer_url(self._public_url, account)

    def is_ours(self, issuer: str) -> bool:
        """Whether an issuer is one of this service's, of whatever account."""
        return issuer.startswith(issuer_url(self._public_url, ""))

    def documents(self, account: str, now: float) -> Documents | None:
        """What the issuer of an account publishes; None where it has none, nor a token that may still be verified."""
        keys = published_keys(self._current_view(), account, now)
        return Documents(configuration(self.url(account)), key_set(keys)) if keys else None

    def sign(self, account: str, algorithm: Algorithm, claims: Mapping[str, object], *, now: float) -> str:
        """
        A token of an account's issuer, which becomes its ``iss``. Raises RequestError:

        1. ISSUER_DISABLED when the account has no issuer;
        2. ISSUED_TOKEN_TOO_LARGE when the claims, as UTF-8, are longer than MAX_CLAIMS.

        **It believes the claims:** the caller has made sure that they are true, and of their times.
        """
        view = self._current_view()
        if not is_enabled(view, account):
            message = "Outbound web identity federation is not enabled for this account."
            raise RequestError(Reason.ISSUER_DISABLED, message)
        payload = msgspec.json.encode({"iss": self.url(account), **claims})
        if len(payload) > MAX_CLAIMS:
            message = "The requested token payload size exceeds the maximum allowed size. Pass fewer or shorter tags."
            raise RequestError(Reason.ISSUED_TOKEN_TOO_LARGE, message)
        key = signing_key(view, account, algorithm, now)
        return compact_token(payload, algorithm, key.unique_id, private_key(self._master, key))
