# SPDX-License-Identifier: Apache-2.0
"""
Everything is wired here, once: store, keys, sessions, providers, operations, the door.

No other module makes one of these; each is handed what it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from daypass.access import Authenticator
from daypass.access.second_factor import SecondFactors
from daypass.access.usage import UsageRecorder
from daypass.api import AwsDoor, operation_table
from daypass.api.container_credentials import ContainerDoor
from daypass.api.issuer_documents import IssuerDocuments
from daypass.api.wire_errors import WIRE_ERRORS
from daypass.clock import Clock, system_clock
from daypass.federation import Fetcher, OidcIdentities, SamlIdentities
from daypass.iam.outbox import Outbox
from daypass.iam.provided import load_provided
from daypass.iam.service import Iam
from daypass.issuer import TokenIssuer
from daypass.sealing import MasterKey
from daypass.server.bootstrap import OUTBOX, load_master_key, prepare
from daypass.server.configuration import read_configuration
from daypass.server.log import RequestLog
from daypass.server.settings import Settings
from daypass.sessions import Sessions
from daypass.sessions.log import SessionLog
from daypass.sessions.ring import StoredRing
from daypass.signin import SigninDoor, open_door
from daypass.store import Store
from daypass.sts import Sts


@dataclass(frozen=True, slots=True)
class App:
    """A wired service. ``close`` ends it; nothing it acknowledged is lost if that never happens."""

    account_id: str
    store: Store
    fetcher: Fetcher
    oidc: OidcIdentities
    usage: UsageRecorder
    sessions: Sessions
    issued: SessionLog
    door: AwsDoor
    container_door: ContainerDoor
    issuer_documents: IssuerDocuments
    signin_door: SigninDoor

    async def close(self) -> None:
        """Write what is still to be written, and close the connections that are open."""
        await self.usage.close()
        await self.issued.close()
        await self.oidc.close()
        await self.fetcher.close()
        await self.store.close()


async def open_app(settings: Settings, clock: Clock = system_clock) -> App:
    """Wire the service. Raises ConfigurationError when the settings and what is stored do not go together."""
    master = load_master_key(settings)
    provided = load_provided(settings.data_dir)
    store = await Store.open(settings.database_url, settings.data_dir, clock, provided)
    try:
        account_id = await prepare(settings, store, master, now=clock())
        return _wire(settings, clock, master, store, account_id)
    except BaseException:
        await store.close()
        raise


def _wire(settings: Settings, clock: Clock, master: MasterKey, store: Store, account_id: str) -> App:
    fetcher = Fetcher(
        allowed_networks=settings.allowed_issuer_networks, allow_loopback_http=settings.allow_loopback_http
    )
    log = RequestLog()
    ring = StoredRing(store.view, master, partial(log.failed_aside, "the key ring"))
    sessions = Sessions(ring.current)
    issued = SessionLog(store, partial(log.failed_aside, "the log of issued sessions"))
    oidc = OidcIdentities(fetcher.get)
    issuer = TokenIssuer(settings.url, master, store.view)
    saml = SamlIdentities(settings.url, master, read_configuration(settings.config).saml_rules, log)
    saml.report_expiries(store.view().saml_providers.all(), clock())
    sts = Sts(sessions, oidc, store, issued, issuer, saml)
    iam = Iam(
        store,
        master,
        settings.allow_loopback_http,
        public_url=settings.url,
        outbox=Outbox(settings.data_dir / OUTBOX, sessions),
    )
    usage = UsageRecorder(store, partial(log.failed_aside, "notes of last use"))
    door = AwsDoor(
        operation_table(sts, iam),
        authenticator=Authenticator(master, sessions),
        factors=SecondFactors(store, master),
        sessions=sessions,
        store=store,
        clock=clock,
        log=log,
        usage=usage,
        trusted_proxies=settings.trusted_proxies,
    )
    containers = ContainerDoor(sts, account_id, clock=clock, log=log, trusted_proxies=settings.trusted_proxies)
    documents = IssuerDocuments(issuer, clock, log)
    signin = _signin_door(sts, ring, settings, clock, log)
    return App(account_id, store, fetcher, oidc, usage, sessions, issued, door, containers, documents, signin)


def _signin_door(sts: Sts, ring: StoredRing, settings: Settings, clock: Clock, log: RequestLog) -> SigninDoor:
    return open_door(
        sts,
        ring.current,
        url=settings.url,
        allow_loopback_http=settings.allow_loopback_http,
        clock=clock,
        log=log,
        wire_codes=WIRE_ERRORS,
        trusted_proxies=settings.trusted_proxies,
    )
