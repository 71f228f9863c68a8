# SPDX-License-Identifier: Apache-2.0
"""
Outbound web identity federation (IAM API): EnableOutboundWebIdentityFederation, DisableOutboundWebIdentityFederation,
GetOutboundWebIdentityFederationInfo.

Enabling gives the account an issuer of its own, with keys; STS signs with them (GetWebIdentityToken). Disabling ends the
signing; tokens that are out stay good for their hour, and can be verified for as long (``daypass.issuer.keys``).
"""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters
from daypass.errors import EntityError, Reason
from daypass.iam.account_settings import settings_of
from daypass.iam.service import Iam
from daypass.issuer.documents import issuer_url
from daypass.issuer.keys import is_enabled, make_keys, retire_all, take_up
from daypass.store import View


async def enable_outbound_web_identity_federation(
    iam: Iam, permitted: Permitted, _parameters: Parameters
) -> dict[str, object]:
    """Enable the feature, with keys that sign from now on. Raises EntityError (FEATURE_ENABLED)."""
    account, now = permitted.caller.principal.account, int(permitted.facts.now)
    _refuse_enabled(iam.store.view(), account)
    keys = await asyncio.to_thread(make_keys, iam.master, account, now=now, active_from=now)
    async with iam.store.transaction() as transaction:
        _refuse_enabled(transaction.view, account)
        await take_up(transaction, account, keys, now)
        await transaction.put(replace(settings_of(transaction.view, account), web_identity_enabled_at=now))
    return {"IssuerIdentifier": issuer_url(iam.public_url, account)}


async def disable_outbound_web_identity_federation(
    iam: Iam, permitted: Permitted, _parameters: Parameters
) -> dict[str, object]:
    """Disable the feature. Raises EntityError (FEATURE_DISABLED) where it is not enabled."""
    account, now = permitted.caller.principal.account, int(permitted.facts.now)
    async with iam.store.transaction() as transaction:
        _refuse_disabled(transaction.view, account)
        await retire_all(transaction, account, now)
        await transaction.put(replace(settings_of(transaction.view, account), web_identity_enabled_at=None))
    return {}


async def get_outbound_web_identity_federation_info(
    iam: Iam, permitted: Permitted, _parameters: Parameters
) -> dict[str, object]:
    """The account's issuer. Raises EntityError (FEATURE_DISABLED) where the feature is not enabled."""
    account = permitted.caller.principal.account
    _refuse_disabled(iam.store.view(), account)
    return {"IssuerIdentifier": issuer_url(iam.public_url, account), "JwtVendingEnabled": True}


def _refuse_enabled(view: View, account: str) -> None:
    if is_enabled(view, account):
        message = "Outbound web identity federation is already enabled for your account."
        raise EntityError(Reason.FEATURE_ENABLED, message)


def _refuse_disabled(view: View, account: str) -> None:
    if not is_enabled(view, account):
        message = "Outbound web identity federation is disabled for your account."
        raise EntityError(Reason.FEATURE_DISABLED, message)
