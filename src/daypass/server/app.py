# SPDX-License-Identifier: Apache-2.0
"""
Everything is wired here, once: store, keys, sessions, providers, operations, the door.

No other module makes one of these; each is handed what it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TypedDict

from daypass.access import Authenticator
from daypass.access.second_factor import SecondFactors
from daypass.access.usage import UsageRecorder
from daypass.api import AwsDoor, operation_table
from daypass.api.container_credentials import ContainerDoor
from daypass.api.issuer_documents import IssuerDocuments
from daypass.api.wire_errors import WIRE_ERRORS
from daypass.clock import Clock, system_clock
from daypass.doorway.audit_trail import AuditTrail
from daypass.federation import Fetcher, OidcIdentities, SamlIdentities
from daypass.iam.outbox import Outbox
from daypass.iam.provided import load_provided
from daypass.iam.service import Iam
from daypass.issuer import TokenIssuer
from daypass.sealing import MasterKey
from daypass.server.bootstrap import OUTBOX, load_master_key, prepare
from daypass.server.configuration import read_configuration
from daypass.server.enforcement import Enforcement, open_enforcement
from daypass.server.log import RequestLog
from daypass.server.metrics import Recorder, StandingWatch
from daypass.server.settings import Network, Settings
from daypass.server.state_watch import StateWatch
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
    audit: AuditTrail
    door: AwsDoor
    container_door: ContainerDoor
    issuer_documents: IssuerDocuments
    signin_door: SigninDoor
    metrics: Recorder
    standing: StandingWatch
    enforcement: Enforcement
    state: StateWatch | None

    async def close(self) -> None:
        """Write what is still to be written, and close the connections that are open."""
        if self.state is not None:
            await self.state.close()
        await self.standing.close()
        await self.enforcement.close()
        await self.usage.close()
        await self.issued.close()
        await self.audit.close()
        await self.oidc.close()
        await self.fetcher.close()
        await self.store.close()


async def open_app(settings: Settings, clock: Clock = system_clock, metrics: Recorder | None = None) -> App:
    """
    Wire the service; ``metrics`` is where it counts. Raises ConfigurationError when the settings and what is stored do not go
    together.
    """
    master = load_master_key(settings)
    provided = load_provided(settings.data_dir)
    store = await Store.open(settings.database_url, settings.data_dir, clock, provided)
    try:
        account_id = await prepare(settings, store, master, now=clock())
        app = _wire(settings, clock, master, store, account_id, metrics or Recorder())
        if app.state is not None:
            await app.state.read()  # before anything is decided
        await app.enforcement.start()
        app.standing.start()
        if app.state is not None:
            app.state.start()
        return app
    except BaseException:
        await store.close()
        raise


def _wire(settings: Settings, clock: Clock, master: MasterKey, store: Store, account_id: str, metrics: Recorder) -> App:
    fetcher = Fetcher(
        allowed_networks=settings.allowed_issuer_networks, allow_loopback_http=settings.allow_loopback_http
    )
    log = RequestLog(metrics.internal_failure)
    ring = StoredRing(store.view, master, partial(log.failed_aside, "the key ring"))
    sessions = Sessions(ring.current)
    issued = SessionLog(store, partial(log.failed_aside, "the log of issued sessions"))
    oidc = OidcIdentities(fetcher.get, reports=metrics)
    issuer = TokenIssuer(settings.url, master, store.view)
    configuration = read_configuration(settings.config)
    audit = AuditTrail(store, partial(log.failed_aside, "the audit trail"), configuration.kept)
    saml = SamlIdentities(settings.url, master, configuration.saml_rules, log)
    saml.report_expiries(store.view().saml_providers.all(), clock())
    sts = Sts(sessions, oidc, store, issued, issuer, saml)
    outbox = Outbox(settings.data_dir / OUTBOX, sessions)
    iam = Iam(store, master, settings.allow_loopback_http, public_url=settings.url, outbox=outbox)
    usage = UsageRecorder(store, partial(log.failed_aside, "notes of last use"))
    authenticator = Authenticator(master, sessions)
    shared = Shared(clock=clock, log=log, audit=audit, metrics=metrics, trusted_proxies=settings.trusted_proxies)
    door = AwsDoor(
        operation_table(sts, iam),
        authenticator=authenticator,
        factors=SecondFactors(store, master),
        sessions=sessions,
        store=store,
        usage=usage,
        **shared,
    )
    containers = ContainerDoor(sts, account_id, **shared)
    documents = IssuerDocuments(issuer, clock, log)
    signin = _signin_door(sts, ring, settings, shared)
    enforcement = open_enforcement(
        configuration.gateway, store, authenticator, usage=usage, ring=ring.current, **shared
    )
    standing = StandingWatch(store.view, metrics, audit, partial(log.failed_aside, "what ages and expires"))
    return App(
        *(account_id, store, fetcher, oidc, usage, sessions, issued, audit, door, containers, documents, signin),
        metrics=metrics,
        standing=standing,
        enforcement=enforcement,
        state=_state_watch(settings, store, clock, log),
    )


class Shared(TypedDict):
    """What every door is handed."""

    clock: Clock
    log: RequestLog
    audit: AuditTrail
    metrics: Recorder
    trusted_proxies: tuple[Network, ...]


def _state_watch(settings: Settings, store: Store, clock: Clock, log: RequestLog) -> StateWatch | None:
    if settings.state is None:
        return None
    return StateWatch(store, settings.state, clock=clock, log=log, failed=partial(log.failed_aside, "the state file"))


def _signin_door(sts: Sts, ring: StoredRing, settings: Settings, shared: Shared) -> SigninDoor:
    return open_door(
        sts,
        ring.current,
        url=settings.url,
        allow_loopback_http=settings.allow_loopback_http,
        wire_codes=WIRE_ERRORS,
        **shared,
    )
