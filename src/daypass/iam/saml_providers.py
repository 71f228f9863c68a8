# SPDX-License-Identifier: Apache-2.0
"""
SAML providers (IAM API): CreateSAMLProvider, GetSAMLProvider, UpdateSAMLProvider, DeleteSAMLProvider, ListSAMLProviders,
TagSAMLProvider, UntagSAMLProvider, ListSAMLProviderTags.

The metadata is read by the parser that reads assertions, and refused when no assertion could be verified by it. It is kept as
sent. What it says replaces what was said before, signing certificates included: a provider that changes its certificate
publishes both for a while.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from daypass.access import Permitted
from daypass.arn import Arn, saml_provider_arn
from daypass.awsapi.parameters import Parameters, optional_text, tag_list, text, texts
from daypass.credentials import new_saml_id
from daypass.errors import EntityError, ProofError, Reason
from daypass.iam import tags
from daypass.iam.limits import SAML_PROVIDERS_PER_ACCOUNT
from daypass.iam.paging import page
from daypass.iam.saml_keys import new_private_key, with_key, without_key
from daypass.iam.service import Iam
from daypass.saml import ProviderMetadata, parse_metadata
from daypass.store import SamlProvider, View

if TYPE_CHECKING:
    from daypass.store import Transaction


def _name(provider_arn: str, account: str) -> str:
    """The name in a provider's ARN. Raises EntityError for what is no such ARN, or one of another account."""
    try:
        arn = Arn.parse(provider_arn)
    except ValueError:
        raise EntityError(Reason.INVALID_INPUT, f"Invalid ARN: {provider_arn!r}") from None
    kind, _, name = arn.resource.partition("/")
    if arn.service != "iam" or kind != "saml-provider" or not name:
        raise EntityError(Reason.INVALID_INPUT, f"Invalid ARN: {provider_arn!r}")
    if provider_arn != saml_provider_arn(account, name):
        raise _no_such_provider(provider_arn)
    return name


def _no_such_provider(provider_arn: str) -> EntityError:
    return EntityError(Reason.NO_SUCH_ENTITY, f"Manifest not found for arn {provider_arn}")


def _existing(view: View, permitted: Permitted, parameters: Parameters) -> SamlProvider:
    arn, account = text(parameters, "SAMLProviderArn"), permitted.caller.principal.account
    provider = view.saml_providers.with_name(account, _name(arn, account))
    if provider is None:
        raise _no_such_provider(arn)
    return provider


async def _to_change(transaction: Transaction, permitted: Permitted, parameters: Parameters) -> SamlProvider:
    provider = _existing(transaction.view, permitted, parameters)
    permitted.with_tags(provider.tags)
    return provider


async def _read(metadata: str, now: float) -> ProviderMetadata:
    """What metadata says, read beside the event loop: it may be long. Raises ProofError in IAM's words, or EntityError."""
    try:
        read = await asyncio.to_thread(parse_metadata, metadata)
    except ProofError as error:
        raise ProofError(error.reason, f"Could not parse metadata. {error}") from error
    if read.valid_until is not None and read.valid_until <= now:
        raise EntityError(Reason.INVALID_INPUT, "Could not parse metadata. Its validity has ended.")
    return read


async def create_saml_provider(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Register an identity provider by its metadata, with a key for encrypted assertions where one is given."""
    account, now = permitted.caller.principal.account, int(permitted.facts.now)
    name, metadata = text(parameters, "Name"), text(parameters, "SAMLMetadataDocument")
    mode, pem = optional_text(parameters, "AssertionEncryptionMode"), optional_text(parameters, "AddPrivateKey")
    _check_mode(mode, keys=pem is not None)
    read = await _read(metadata, permitted.facts.now)
    arn = saml_provider_arn(account, name)
    provider = SamlProvider(
        account=account,
        name=name,
        uuid=new_saml_id(),
        entity_id=read.entity_id,
        metadata=metadata,
        valid_until=read.valid_until,
        created_at=now,
        encryption_mode=mode,
        private_keys=() if pem is None else (await new_private_key(pem, arn, iam.master, now),),
        tags=tags.checked(tag_list(parameters)),
    )
    async with iam.store.transaction() as transaction:
        present = transaction.view.saml_providers
        if present.with_name(account, name) is not None:
            raise EntityError(Reason.ENTITY_ALREADY_EXISTS, f"SAMLProvider {name} already exists.")
        if len(present.of(account)) >= SAML_PROVIDERS_PER_ACCOUNT:
            message = f"Cannot exceed quota for SAMLProvidersPerAccount: {SAML_PROVIDERS_PER_ACCOUNT}"
            raise EntityError(Reason.LIMIT_EXCEEDED, message)
        await transaction.put(provider)
    members: dict[str, object] = {"SAMLProviderArn": arn}
    return {**members, "Tags": tags.members(tuple(sorted(provider.tags)))} if provider.tags else members


def _check_mode(mode: str | None, *, keys: bool) -> None:
    if mode == "Required" and not keys:
        message = "Unable to set assertion encryption mode to Required because no private key is provided."
        raise EntityError(Reason.INVALID_INPUT, message)


async def get_saml_provider(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One provider. Of its private keys, their ids and when they were added."""
    provider = _existing(iam.store.view(), permitted, parameters)
    members: dict[str, object] = {
        "SAMLProviderUUID": provider.uuid,
        "SAMLMetadataDocument": provider.metadata,
        "CreateDate": provider.created_at,
        "Tags": tags.members(tuple(sorted(provider.tags))),
        "PrivateKeyList": [{"KeyId": key.key_id, "Timestamp": key.created_at} for key in provider.private_keys],
    }
    if provider.encryption_mode is not None:
        members["AssertionEncryptionMode"] = provider.encryption_mode
    return members | _validity(provider)


def _validity(provider: SamlProvider) -> dict[str, object]:
    return {} if provider.valid_until is None else {"ValidUntil": provider.valid_until}


async def list_saml_providers(iam: Iam, permitted: Permitted, _parameters: Parameters) -> dict[str, object]:
    """All providers of the account, by name."""
    providers = iam.store.view().saml_providers.of(permitted.caller.principal.account)
    return {
        "SAMLProviderList": [
            {"Arn": provider.arn, "CreateDate": provider.created_at, **_validity(provider)} for provider in providers
        ]
    }


async def update_saml_provider(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Other metadata, another mode, one private key more or less. What is not sent stays as it is."""
    metadata, mode = (
        optional_text(parameters, "SAMLMetadataDocument"),
        optional_text(parameters, "AssertionEncryptionMode"),
    )
    pem, gone = optional_text(parameters, "AddPrivateKey"), optional_text(parameters, "RemovePrivateKey")
    if metadata is mode is pem is gone is None:
        message = "Unable to update identity provider. No updates are defined for metadata or encryption assertion."
        raise EntityError(Reason.INVALID_INPUT, message)
    if pem is not None and gone is not None:
        message = "Unable to add and remove private keys in the same request."
        raise EntityError(Reason.INVALID_INPUT, f"{message} Set a value for only one of the two parameters.")
    known = _existing(iam.store.view(), permitted, parameters)
    read = None if metadata is None else await _read(metadata, permitted.facts.now)
    new = None if pem is None else await new_private_key(pem, known.arn, iam.master, int(permitted.facts.now))
    async with iam.store.transaction() as transaction:
        provider = await _to_change(transaction, permitted, parameters)
        if metadata is not None and read is not None:
            provider = replace(provider, metadata=metadata, entity_id=read.entity_id, valid_until=read.valid_until)
        mode = mode or provider.encryption_mode
        keys = provider.private_keys if new is None else with_key(provider.private_keys, new)
        if gone is not None:
            keys = without_key(keys, gone, mode)
        _check_mode(mode, keys=bool(keys))
        await transaction.put(replace(provider, encryption_mode=mode, private_keys=keys))
    return {"SAMLProviderArn": provider.arn}


async def delete_saml_provider(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Forget a provider. Its assertions are refused from now on, and its sessions have ended; roles that name it stay."""
    async with iam.store.transaction() as transaction:
        await transaction.delete(await _to_change(transaction, permitted, parameters))
    return {}


async def tag_saml_provider(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """More tags, or other values."""
    async with iam.store.transaction() as transaction:
        provider = await _to_change(transaction, permitted, parameters)
        await transaction.put(replace(provider, tags=tags.added(provider.tags, tag_list(parameters))))
    return {}


async def untag_saml_provider(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Fewer tags."""
    async with iam.store.transaction() as transaction:
        provider = await _to_change(transaction, permitted, parameters)
        await transaction.put(replace(provider, tags=tags.removed(provider.tags, texts(parameters, "TagKeys"))))
    return {}


async def list_saml_provider_tags(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The tags of a provider, sorted by key (IAM API, ListSAMLProviderTags)."""
    provider = _existing(iam.store.view(), permitted, parameters)
    chosen, more = page(sorted(provider.tags), parameters, key=lambda tag: tag[0])
    return {"Tags": tags.members(tuple(chosen)), **more}
