# SPDX-License-Identifier: Apache-2.0
"""
The enforcement door, wired: the gateway, the questions of proxies and services, and what they share.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
from daypass.server.gateway_configuration import ExtAuthzSection, GatewaySection
from daypass.server.log import RequestLog
from daypass.server.metrics import Recorder
from daypass.store import Store

if TYPE_CHECKING:
    from daypass.gateway.ext_authz_listener import ExtAuthzListener


@dataclass(frozen=True, slots=True)
class Enforcement:
    """The doors for services behind us."""

    gateway: GatewayDoor
    forward_auth: ForwardAuthDoor
    ask: AskDoor
    s3tokens: S3TokensDoor
    upstreams: Upstreams
    ext_authz: ExtAuthzListener | None

    async def start(self) -> None:
        """Listen where Envoy asks over gRPC. Raises ConfigurationError when that address cannot be had."""
        if self.ext_authz is not None:
            await self.ext_authz.start()

    async def close(self) -> None:
        """Answer what Envoy has asked, and close the connections to backends."""
        if self.ext_authz is not None:
            await self.ext_authz.close()
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
    forward_auth = ForwardAuthDoor(
        backends, secret, gate, forwarder, rules, clock=clock, reports=reports, trusted_proxies=trusted_proxies
    )
    return Enforcement(
        GatewayDoor(
            backends, gate, upstreams, forwarder, rules, clock=clock, reports=reports, trusted_proxies=trusted_proxies
        ),
        forward_auth,
        AskDoor(
            *(backends, gate, rules, authenticator, VerifiedCallers(ring)),
            clock=clock,
            reports=reports,
            trusted_proxies=trusted_proxies,
            key_elsewhere=() if keystone is None else (("s3", keystone.region),),
        ),
        S3TokensDoor(keystone, authenticator, store, clock=clock, reports=reports, trusted_proxies=trusted_proxies),
        upstreams,
        None if section.ext_authz is None else _ext_authz(section.ext_authz, forward_auth),
    )


def _ext_authz(section: ExtAuthzSection, door: ForwardAuthDoor) -> ExtAuthzListener:
    section.check()
    # An extra: whoever does not have Envoy ask over gRPC neither has it nor loads it.
    # What gRPC's core has to say (of connections that end, of bytes that are no HTTP/2) is no line of our log.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from daypass.gateway.ext_authz import ExtAuthzDoor
    from daypass.gateway.ext_authz_listener import ExtAuthzListener

    asked = ExtAuthzDoor(door.answer, door.knows)
    return ExtAuthzListener(str(section.listen), asked.check, asked.knows)
