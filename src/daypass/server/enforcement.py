# SPDX-License-Identifier: Apache-2.0
"""
The enforcement door, wired: the gateway, the questions of proxies and services, and what they share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daypass.access import Authenticator
from daypass.access.usage import UsageRecorder
from daypass.clock import Clock
from daypass.doorway.audit_trail import AuditTrail
from daypass.doorway.client_address import Network
from daypass.gateway.ask import AskDoor
from daypass.gateway.bucket_settings import BucketSettings
from daypass.gateway.decision import Gate
from daypass.gateway.forward_auth import ForwardAuthDoor
from daypass.gateway.onward import Forwarder
from daypass.gateway.proxy import GatewayDoor
from daypass.gateway.reports import GatewayReports
from daypass.gateway.s3_rules import S3Rules
from daypass.gateway.s3tokens import S3TokensDoor
from daypass.gateway.upstream import Upstreams
from daypass.gateway.verified_callers import VerifiedCallers
from daypass.sealing import KeyRing
from daypass.server.gateway_configuration import GatewaySection
from daypass.server.log import RequestLog
from daypass.server.metrics import Recorder
from daypass.store import Store


@dataclass(frozen=True, slots=True)
class Enforcement:
    """The doors for services behind us."""

    gateway: GatewayDoor
    forward_auth: ForwardAuthDoor
    ask: AskDoor
    s3tokens: S3TokensDoor
    upstreams: Upstreams

    async def close(self) -> None:
        """Close the connections to backends."""
        await self.upstreams.close()


def open_enforcement(
    section: GatewaySection,
    store: Store,
    authenticator: Authenticator,
    *,
    clock: Clock,
    usage: UsageRecorder,
    log: RequestLog,
    metrics: Recorder,
    audit: AuditTrail,
    ring: Callable[[], KeyRing],
    trusted_proxies: Sequence[Network] = (),
) -> Enforcement:
    """Wire them. Raises ConfigurationError when the backends do not go together."""
    backends = section.made()
    reports = GatewayReports(log, metrics, audit)
    gate = Gate(authenticator, store, usage, metrics)
    upstreams, forwarder = Upstreams(), Forwarder()
    rules = S3Rules(BucketSettings(store), upstreams, forwarder)
    secret = None if section.proxy_secret is None else section.proxy_secret.read()
    keystone = None if section.keystone is None else section.keystone.clients()
    return Enforcement(
        GatewayDoor(
            backends, gate, upstreams, forwarder, rules, clock=clock, reports=reports, trusted_proxies=trusted_proxies
        ),
        ForwardAuthDoor(
            backends, secret, gate, forwarder, rules, clock=clock, reports=reports, trusted_proxies=trusted_proxies
        ),
        AskDoor(
            *(backends, gate, rules, authenticator, VerifiedCallers(ring)),
            clock=clock,
            reports=reports,
            trusted_proxies=trusted_proxies,
            key_elsewhere=() if keystone is None else (("s3", keystone.region),),
        ),
        S3TokensDoor(keystone, authenticator, store, clock=clock, reports=reports, trusted_proxies=trusted_proxies),
        upstreams,
    )
