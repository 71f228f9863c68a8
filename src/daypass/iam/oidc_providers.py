# SPDX-License-Identifier: Apache-2.0
"""
OpenID Connect providers (IAM API): Create, Get, List, Delete, AddClientIDTo, RemoveClientIDFrom,
Update...Thumbprint, Tag, Untag, List...Tags.

Registering a provider fetches nothing: its keys are fetched when the first token comes, so that neither an outage there
nor the order of a Terraform plan stops anybody here. Thumbprints are kept and shown; they never widen trust: TLS is
verified against the trusted certificate authorities, as AWS does for providers that have a public certificate.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.arn import Arn, oidc_provider_arn
from daypass.awsapi.parameters import Parameters, tag_list, text, texts
from daypass.errors import EntityError, Reason, RequestError
from daypass.iam import tags
from daypass.iam.limits import CLIENT_IDS_PER_PROVIDER, OIDC_PROVIDERS_PER_ACCOUNT, THUMBPRINTS_PER_PROVIDER
from daypass.iam.paging import page
from daypass.iam.service import Iam
from daypass.oidc import check_issuer_url
from daypass.store import OidcProvider

if TYPE_CHECKING:
    from daypass.store import Transaction

_RESERVED_NAMES: Final = frozenset({"aws", "iam", "saml", "sts"})
_THUMBPRINT: Final = re.compile(r"[0-9A-Fa-f]{40}", re.ASCII)


def provider_name(provider_arn: str, account: str) -> str:
    """The name inside a provider's ARN: its URL without the scheme. Raises EntityError for what is no such ARN here."""
    try:
        arn = Arn.parse(provider_arn)
    except ValueError:
        raise EntityError(Reason.INVALID_INPUT, f"Invalid ARN: {provider_arn!r}") from None
    kind, _, name = arn.resource.partition("/")
    if arn.service != "iam" or kind != "oidc-provider" or not name:
        raise EntityError(Reason.INVALID_INPUT, f"Invalid ARN: {provider_arn!r}")
    if provider_arn != oidc_provider_arn(account, name):  # another account, or another partition or region than ours
        raise _no_such_provider(provider_arn)
    return name


def _no_such_provider(provider_arn: str) -> EntityError:
    return EntityError(Reason.NO_SUCH_ENTITY, f"OpenIDConnect Provider not found for arn {provider_arn}")


def _existing(iam: Iam, permitted: Permitted, parameters: Parameters) -> OidcProvider:
    arn, account = text(parameters, "OpenIDConnectProviderArn"), permitted.caller.principal.account
    provider = iam.store.view().oidc_providers.with_name(account, provider_name(arn, account))
    if provider is None:
        raise _no_such_provider(arn)
    return provider


async def _to_change(transaction: Transaction, permitted: Permitted, parameters: Parameters) -> OidcProvider:
    arn, account = text(parameters, "OpenIDConnectProviderArn"), permitted.caller.principal.account
    provider = transaction.view.oidc_providers.with_name(account, provider_name(arn, account))
    if provider is None:
        raise _no_such_provider(arn)
    permitted.with_tags(provider.tags)
    return provider


def _checked_client_ids(client_ids: tuple[str, ...]) -> tuple[str, ...]:
    unique = tuple(dict.fromkeys(client_ids))
    if len(unique) > CLIENT_IDS_PER_PROVIDER:
        message = f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS_PER_PROVIDER}"
        raise EntityError(Reason.LIMIT_EXCEEDED, message)
    return unique


def _checked_thumbprints(thumbprints: tuple[str, ...]) -> tuple[str, ...]:
    if len(thumbprints) > THUMBPRINTS_PER_PROVIDER:
        raise EntityError(
            Reason.INVALID_INPUT, f"Thumbprint list must contain fewer than {THUMBPRINTS_PER_PROVIDER + 1} entries."
        )
    if any(_THUMBPRINT.fullmatch(thumbprint) is None for thumbprint in thumbprints):
        raise EntityError(Reason.INVALID_INPUT, "A thumbprint is the SHA-1 of a certificate: 40 hexadecimal digits.")
    return tuple(thumbprint.lower() for thumbprint in thumbprints)


def _refuse_reserved(name: str) -> None:
    """A provider's claims are condition keys that begin with its name: none may pass for a key of our own."""
    if name.lower() in _RESERVED_NAMES:
        raise RequestError(
            Reason.ISSUER_URL_INVALID, f"The host {name!r} is the name of a service; use a full host name."
        )


async def create_oidc_provider(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Register an issuer and the audiences (client ids) that are accepted from it."""
    url = text(parameters, "Url")
    _refuse_reserved(check_issuer_url(url, allow_loopback_http=iam.allow_loopback_http))
    provider = OidcProvider(
        account=permitted.caller.principal.account,
        url=url,
        client_ids=_checked_client_ids(texts(parameters, "ClientIDList")),
        thumbprints=_checked_thumbprints(texts(parameters, "ThumbprintList")),
        tags=tags.checked(tag_list(parameters)),
        created_at=int(permitted.facts.now),
    )
    async with iam.store.transaction() as transaction:
        if transaction.view.oidc_providers.with_name(provider.account, provider.name) is not None:
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, f"Provider with url {provider.url} already exists.")
        if len(iam.store.view().oidc_providers.of(provider.account)) >= OIDC_PROVIDERS_PER_ACCOUNT:
            message = f"Cannot exceed quota for OpenIdConnectProvidersPerAccount: {OIDC_PROVIDERS_PER_ACCOUNT}"
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        await transaction.put(provider)
    members: dict[str, object] = {"OpenIDConnectProviderArn": provider.arn}
    return {**members, "Tags": tags.members(provider.tags)} if provider.tags else members


async def get_oidc_provider(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One provider. IAM shows its URL without the scheme."""
    provider = _existing(iam, permitted, parameters)
    return {
        "Url": provider.name,
        "ClientIDList": list(provider.client_ids),
        "ThumbprintList": list(provider.thumbprints),
        "CreateDate": provider.created_at,
        "Tags": tags.members(provider.tags),
    }


async def list_oidc_providers(iam: Iam, permitted: Permitted, _parameters: Parameters) -> dict[str, object]:
    """The ARNs of all providers of the account."""
    providers = iam.store.view().oidc_providers.of(permitted.caller.principal.account)
    return {"OpenIDConnectProviderList": [{"Arn": provider.arn} for provider in providers]}


async def delete_oidc_provider(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Forget a provider. Its tokens are refused from now on; one that is not there is no error (IAM API)."""
    account = permitted.caller.principal.account
    name = provider_name(text(parameters, "OpenIDConnectProviderArn"), account)
    async with iam.store.transaction() as transaction:
        provider = transaction.view.oidc_providers.with_name(account, name)
        if provider is not None:
            permitted.with_tags(provider.tags)
            await transaction.delete(provider)
    return {}


async def add_client_id(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Accept one more audience. One that is accepted already is no error (IAM API)."""
    async with iam.store.transaction() as transaction:
        provider = await _to_change(transaction, permitted, parameters)
        client_ids = _checked_client_ids((*provider.client_ids, text(parameters, "ClientID")))
        await transaction.put(replace(provider, client_ids=client_ids))
    return {}


async def remove_client_id(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Accept an audience no longer. One that was not accepted is no error (IAM API)."""
    async with iam.store.transaction() as transaction:
        provider = await _to_change(transaction, permitted, parameters)
        gone = text(parameters, "ClientID")
        client_ids = tuple(client_id for client_id in provider.client_ids if client_id != gone)
        await transaction.put(replace(provider, client_ids=client_ids))
    return {}


async def update_thumbprint(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Another list of thumbprints, in place of the present one."""
    thumbprints = _checked_thumbprints(texts(parameters, "ThumbprintList"))
    async with iam.store.transaction() as transaction:
        provider = await _to_change(transaction, permitted, parameters)
        await transaction.put(replace(provider, thumbprints=thumbprints))
    return {}


async def tag_oidc_provider(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """More tags, or other values."""
    async with iam.store.transaction() as transaction:
        provider = await _to_change(transaction, permitted, parameters)
        await transaction.put(replace(provider, tags=tags.added(provider.tags, tag_list(parameters))))
    return {}


async def untag_oidc_provider(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Fewer tags."""
    async with iam.store.transaction() as transaction:
        provider = await _to_change(transaction, permitted, parameters)
        changed = replace(provider, tags=tags.removed(provider.tags, texts(parameters, "TagKeys")))
        await transaction.put(changed)
    return {}


async def list_oidc_provider_tags(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The tags of a provider, sorted by key."""
    chosen, more = page(sorted(_existing(iam, permitted, parameters).tags), parameters, key=lambda tag: tag[0])
    return {"Tags": tags.members(tuple(chosen)), **more}
