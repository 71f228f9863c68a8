# SPDX-License-Identifier: Apache-2.0
"""
OpenID Connect providers: their keys, kept and renewed, and the identities that their tokens prove.

    token -- issuer is the registered one --> keys in memory -- verify --> Identity
                                                 |
                                    absent, old, or of an unknown id: ask the provider, all callers together

What this costs a provider, and what its outage costs us (DESIGN.md, invariant 11 and static stability):

- keys are used without a question for REFRESH_AFTER, then while they are renewed in the background, until TTL;
- after TTL they are renewed first, and used, if the provider does not answer, until MAX_AGE, and never longer;
- a provider is asked at most once per RETRY_AFTER, whether for age, for an unknown key id, or after a failure: what
  somebody writes into a token cannot make us ask more often, nor make us forget a good key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from daypass import jose
from daypass.errors import ProofError, ProviderError, Reason
from daypass.federation.fetch import DEFAULT_TIMEOUT
from daypass.identity import Identity
from daypass.oidc import (
    ClientIds,
    Discovery,
    condition_keys,
    discovery_url,
    parse_discovery,
    provider_name,
    require_issuer,
    session_claims,
    verify_id_token,
)
from daypass.oidc.id_token import DEFAULT_LEEWAY

TTL: Final = 900.0  # seconds; how long a withdrawn key is good for while its provider answers
REFRESH_AFTER: Final = TTL / 2
RETRY_AFTER: Final = 30.0  # seconds between two questions to one provider
MAX_AGE: Final = 24 * 3600.0  # seconds; the longest outage of a provider that its users do not notice
MAX_PROVIDERS: Final = 10_000  # whose keys are kept; IAM lets an account register 100

Fetch = Callable[[str], Awaitable[bytes]]
"""Fetches a URL's document. Raises ProviderError. ``Fetcher.get`` is one."""


class ProviderReports(Protocol):
    """Where it is said how providers answer."""

    def fetched(self, provider_arn: str, at: float) -> None:
        """A provider published its keys, at an instant."""

    def fetch_failed(self, provider_arn: str) -> None:
        """A provider was asked, and did not answer as it has to."""


class RegisteredProvider(msgspec.Struct, frozen=True):
    """
    A provider as an account registered it: its issuer URL, whole, and the client ids its tokens may be for.

    ``registered_at`` (an instant) tells a registration from an earlier one of the same URL, whose keys are not believed.
    """

    account: str
    arn: str
    url: str
    client_ids: ClientIds
    registered_at: int


@dataclass(frozen=True, slots=True)
class _Published:
    """What a provider published. ``since`` are the instants of the questions, so an age is never understated."""

    discovery: Discovery
    discovery_since: float
    keys: jose.KeySet
    since: float


@dataclass(slots=True)
class _Entry:
    """What is known of one provider: what it published, when it was last asked, and how that went."""

    arn: str
    published: _Published | None = None
    asked_at: float | None = None
    failure: ProviderError | None = None
    flight: asyncio.Task[None] | None = None

    def age(self, now: float) -> float:
        """Seconds since what is known was asked for; infinite when nothing is.

        Requests carry slightly different instants, so a little less than zero is zero; a clock that was set back by
        more makes the keys old enough to be renewed first, and no older.
        """
        if self.published is None:
            return float("inf")
        age = now - self.published.since
        return max(age, 0.0) if age > -RETRY_AFTER else TTL

    def may_ask(self, now: float) -> bool:
        """Whether the provider may be asked; a clock that was set back does not silence us for as long."""
        return self.flight is None and (self.asked_at is None or abs(now - self.asked_at) >= RETRY_AFTER)


class OidcIdentities:
    """Tokens of registered providers become identities. One is made per process, on its event loop.

    ``fetch`` is how providers are asked; ``timeout`` bounds one question (both documents), in seconds; ``leeway`` is
    ``verify_id_token``'s; ``reports`` is told how providers answer.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        leeway: float = DEFAULT_LEEWAY,
        reports: ProviderReports | None = None,
    ) -> None:
        self._fetch = fetch
        self._timeout = timeout
        self._leeway = leeway
        self._reports = reports
        self._entries: dict[tuple[str, str, int], _Entry] = {}
        self._flights: set[asyncio.Task[None]] = set()

    async def identify(self, provider: RegisteredProvider, token: jose.UnverifiedToken, *, now: float) -> Identity:
        """
        Whom this provider's token names. With the key in memory nothing is waited for.

        1. The issuer, before anything is fetched: a token of another issuer costs the provider nothing.
        2. The provider's keys, from memory if they are there.
        3. The token, by those keys.
        4. Once more, if the key is not among them and the provider, asked again, published others.

        Trusted are the keys that the provider publishes at its registered URL. Raises ProofError, or ProviderError when
        the provider cannot be asked and memory cannot answer.
        """
        require_issuer(token, provider.url)  # 1
        entry = self._entry(provider)
        published = entry.published  # 2
        if published is None or not 0.0 <= now - published.since < REFRESH_AFTER:
            published = await self._published(entry, provider.url, now)
        try:
            return self._verify(provider, token, published, now)  # 3
        except ProofError as error:
            if not _may_be_rotated(error, token):
                raise
            renewed = await self._renewed(entry, provider.url, now)  # 4
            if renewed is None or renewed is published:
                raise
        return self._verify(provider, token, renewed, now)

    async def close(self) -> None:
        """End the questions that are under way, and with them whoever waits; for when the process stops."""
        flights = tuple(self._flights)
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _entry(self, provider: RegisteredProvider) -> _Entry:
        key = (provider.arn, provider.url, provider.registered_at)
        entry = self._entries.get(key)
        if entry is None:
            if len(self._entries) >= MAX_PROVIDERS:
                del self._entries[next(iter(self._entries))]
            entry = self._entries[key] = _Entry(provider.arn)
        return entry

    async def _published(self, entry: _Entry, url: str, now: float) -> _Published:
        """What the provider published, as fresh as the rules at the top of this module ask. Raises ProviderError."""
        age = entry.age(now)
        if age >= REFRESH_AFTER:
            if entry.may_ask(now):
                self._ask(entry, url, now, keys_only=False)
            if age >= TTL and entry.flight is not None:
                await asyncio.shield(entry.flight)
        if entry.published is None or entry.age(now) >= MAX_AGE:
            failure = entry.failure
            if failure is None:
                raise ProviderError(Reason.PROVIDER_UNREACHABLE, "The identity provider could not be reached.")
            raise ProviderError(failure.reason, str(failure))
        return entry.published

    async def _renewed(self, entry: _Entry, url: str, now: float) -> _Published | None:
        """What the provider publishes now, if it may be asked, or is being asked already; else what is known."""
        if entry.may_ask(now):
            self._ask(entry, url, now, keys_only=True)
        if entry.flight is not None:
            await asyncio.shield(entry.flight)
        return entry.published

    def _ask(self, entry: _Entry, url: str, now: float, *, keys_only: bool) -> None:
        # Both are set before the task runs: whoever comes next sees a question under way, and asks none.
        entry.asked_at = now
        entry.flight = asyncio.get_running_loop().create_task(self._fly(entry, url, now, keys_only=keys_only))
        self._flights.add(entry.flight)
        entry.flight.add_done_callback(self._flights.discard)

    async def _fly(self, entry: _Entry, url: str, now: float, *, keys_only: bool) -> None:
        """Ask once, for all who wait. The outcome is put into the entry; a failure leaves what was published alone."""
        try:
            async with asyncio.timeout(self._timeout):
                entry.published = await self._question(entry, url, now, keys_only=keys_only)
            entry.failure = None
        except TimeoutError:
            entry.failure = ProviderError(Reason.PROVIDER_TIMEOUT, "The identity provider did not answer in time.")
        except ProviderError as error:
            entry.failure = error
        except ProofError:
            entry.failure = ProviderError(
                Reason.PROVIDER_KEYS_INVALID, "The identity provider's key set cannot be read."
            )
        finally:
            entry.flight = None
        if self._reports is not None:
            if entry.failure is None:
                self._reports.fetched(entry.arn, now)
            else:
                self._reports.fetch_failed(entry.arn)

    async def _question(self, entry: _Entry, url: str, now: float, *, keys_only: bool) -> _Published:
        """Discovery, then the keys. The keys alone, if that will do, the last question went well, and it is recent."""
        known = entry.published
        if keys_only and known is not None and entry.failure is None and now - known.discovery_since < TTL:
            discovery, since = known.discovery, known.discovery_since
        else:
            discovery, since = parse_discovery(await self._fetch(discovery_url(url)), url), now
        return _Published(discovery, since, jose.KeySet.parse(await self._fetch(discovery.jwks_uri)), now)

    def _verify(
        self, provider: RegisteredProvider, token: jose.UnverifiedToken, published: _Published, now: float
    ) -> Identity:
        verified = verify_id_token(
            token,
            issuer=provider.url,
            client_ids=provider.client_ids,
            keys=published.keys,
            now=now,
            algorithms=published.discovery.algorithms,
            leeway=self._leeway,
        )
        asked = session_claims(verified.claims)
        return Identity(
            account=provider.account,
            provider_arn=provider.arn,
            provider=provider.url,
            subject=verified.subject,
            audience=verified.audience,
            context=condition_keys(provider_name(provider.url), verified.claims).keys,
            session_tags=asked.tags,
            transitive_tag_keys=asked.transitive_tag_keys,
            source_identity=asked.source_identity,
        )


def _may_be_rotated(error: ProofError, token: jose.UnverifiedToken) -> bool:
    """Whether newer keys could make a difference: the key id is not known, or there is none and the one key did not fit."""
    if error.reason is Reason.KEY_UNKNOWN:
        return True
    return token.key_id is None and error.reason is Reason.TOKEN_SIGNATURE_INVALID
