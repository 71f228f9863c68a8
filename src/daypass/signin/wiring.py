# SPDX-License-Identifier: Apache-2.0
"""Which page answers where; made once, when the process is wired."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from daypass.clock import Clock
from daypass.doorway.audit_trail import AuditTrail
from daypass.doorway.client_address import Network
from daypass.doorway.metrics import NO_METRICS, DoorMetrics
from daypass.doorway.reports import DoorLog
from daypass.errors import Reason
from daypass.sealing import KeyRing
from daypass.signin.consumer import CHOICE_PATH, Consumer
from daypass.signin.desk import Desk
from daypass.signin.door import SigninDoor, WireCode
from daypass.signin.pages import STATIC, Pages
from daypass.signin.sealed import Sealer
from daypass.signin.service_provider import ServiceProvider
from daypass.signin.start import Start
from daypass.sts import Sts


def open_door(
    sts: Sts,
    ring: Callable[[], KeyRing],
    *,
    url: str,
    allow_loopback_http: bool,
    clock: Clock,
    log: DoorLog,
    audit: AuditTrail | None = None,
    metrics: DoorMetrics = NO_METRICS,
    wire_codes: Mapping[Reason, WireCode],
    trusted_proxies: Sequence[Network] = (),
) -> SigninDoor:
    """The browser door of a service that browsers reach at ``url`` (without a slash at its end)."""
    pages = Pages(urlsplit(url).netloc)
    desk = Desk(sts, pages, Sealer(ring), url, allow_loopback_http)
    service_provider, consumer = ServiceProvider(desk), Consumer(desk)
    registration = "{account:str}/{provider:str}"
    return SigninDoor(
        desk,
        (
            ("GET", "/saml/metadata", service_provider.metadata),
            ("GET", f"/saml/metadata/{registration}", service_provider.metadata_of_a_registration),
            ("GET", f"/portal/saml/{registration}/start", Start(desk, service_provider).start),
            ("POST", "/saml", consumer.roles),
            ("POST", CHOICE_PATH, consumer.credentials),
            ("GET", STATIC + "{name:str}", desk.asset),
        ),
        clock=clock,
        log=log,
        audit=audit,
        metrics=metrics,
        wire_codes=wire_codes,
        trusted_proxies=trusted_proxies,
    )
