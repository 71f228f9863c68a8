# SPDX-License-Identifier: Apache-2.0
"""The federation desk of one account: a fake provider, registered, and a short way to bring its tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from daypass import jose
from daypass.errors import ProofError, ProviderError, Reason
from daypass.federation import Fetcher, OidcIdentities, RegisteredProvider
from daypass.identity import Identity
from fakes.oidc_provider import DISCOVERY, NOW, FakeOidcProvider, SigningKey


class Desk:
    """One provider, one set of identities, and a short way to bring a token."""

    def __init__(self, provider: FakeOidcProvider, *, timeout: float = 5.0) -> None:
        self.provider = provider
        self.fetcher = Fetcher(allow_loopback_http=True, timeout=timeout)
        self.identities = OidcIdentities(self.fetcher.get, timeout=timeout)
        self.registered = self.register()

    @property
    def cold(self) -> list[str]:
        """What the provider is asked when nothing is known of it."""
        return [self.provider.path + DISCOVERY, "/jwks"]

    def register(self, url: str | None = None, account: str = "123456789012") -> RegisteredProvider:
        """A registration of this provider, or of one at another URL."""
        name = (url or self.provider.issuer).partition("://")[2]
        arn = f"arn:aws:iam::{account}:oidc-provider/{name}"
        return RegisteredProvider(account, arn, url or self.provider.issuer, frozenset({"client"}), 0)

    def token(
        self, key: SigningKey | None = None, header: dict[str, Any] | None = None, **claims: Any
    ) -> jose.UnverifiedToken:
        """A token of the provider that is good for as long as any test goes on."""
        return jose.parse(self.provider.token(key, header, **{"exp": NOW + 100 * 3600, **claims}))

    def identify(self, token: jose.UnverifiedToken | None = None, now: float = NOW) -> Coroutine[Any, Any, Identity]:
        """Bring a token, or one that is in order."""
        return self.identities.identify(self.registered, token or self.token(), now=now)

    async def refusal(self, token: jose.UnverifiedToken | None = None, now: float = NOW) -> Reason:
        """Why it is refused; being accepted fails the test."""
        with pytest.raises((ProofError, ProviderError)) as caught:
            await self.identify(token, now)
        return caught.value.reason

    async def settle(self) -> None:
        """Let what is under way in the background come to its end."""
        await asyncio.gather(*self.identities._flights)
