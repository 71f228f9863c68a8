# SPDX-License-Identifier: Apache-2.0
"""SAML providers: what metadata is taken, what is shown of it, and two private keys for encrypted assertions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from daypass.credentials import Secret
from daypass.federation.saml import private_key_label
from daypass.iam.limits import SAML_PROVIDERS_PER_ACCOUNT
from daypass.sealing import MasterKey
from daypass.store import SamlProvider
from fakes.saml_idp import FakeSamlIdp, private_key, rsa_key
from iam.people import asked, done, refused
from in_process import ACCOUNT, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
MASTER = MasterKey.generate()
METADATA = FakeSamlIdp().metadata().decode()
TAGS = [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}]
SORTED_TAGS = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
NO_KEY = "Unable to set assertion encryption mode to Required because no private key is provided."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: providers have names of their own."""
    async with service(tmp_path_factory.mktemp("data"), master_key=Secret(MASTER)) as running:
        yield running


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:saml-provider/{name}"


def pem(key: Any, *, passphrase: bytes | None = None) -> str:
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode())


async def create(iam: Service, name: str, metadata: str = METADATA, **more: Any) -> dict[str, Any]:
    return await done(iam, "CreateSAMLProvider", Name=name, SAMLMetadataDocument=metadata, **more)


async def shown(iam: Service, name: str) -> dict[str, Any]:
    return await done(iam, "GetSAMLProvider", SAMLProviderArn=arn(name))


async def update(iam: Service, name: str, **what: Any) -> tuple[Any, str]:
    return await refused(iam, "UpdateSAMLProvider", SAMLProviderArn=arn(name), **what)


async def test_a_provider_is_kept_as_sent_and_shown_with_its_tags_in_order(iam: Service) -> None:
    until = FakeSamlIdp().metadata(validUntil="2030-01-02T03:04:05Z").decode() + "\r\n"
    made = await create(iam, "Whole", until, Tags=TAGS)
    assert made == {"SAMLProviderArn": arn("Whole"), "Tags": SORTED_TAGS}
    found = await shown(iam, "Whole")
    assert (found["SAMLMetadataDocument"], found["Tags"]) == (until, SORTED_TAGS)
    assert found["ValidUntil"].isoformat() == "2030-01-02T03:04:05+00:00"
    assert int(found["CreateDate"].timestamp()) == int(iam.clock())
    assert len(found["SAMLProviderUUID"]) == 32
    assert found["PrivateKeyList"] == []
    listed = (await done(iam, "ListSAMLProviders"))["SAMLProviderList"]
    assert {"Arn": arn("Whole"), "CreateDate": found["CreateDate"], "ValidUntil": found["ValidUntil"]} in listed


async def test_what_the_metadata_does_not_say_is_not_shown(iam: Service) -> None:
    assert await create(iam, "Plain") == {"SAMLProviderArn": arn("Plain")}
    assert not {"ValidUntil", "AssertionEncryptionMode"} & (await shown(iam, "Plain")).keys()


@pytest.mark.parametrize(
    "metadata",
    [
        "x" * 1000,
        "<x>" + " " * 1000 + "</x>",
        METADATA.replace("<md:", "<!DOCTYPE x><md:", 1),
        METADATA.replace("IDPSSODescriptor", "SPSSODescriptor"),
        METADATA.replace('use="signing"', 'use="encryption"'),
        FakeSamlIdp().metadata(certificates=[b"no certificate" * 20]).decode(),
        FakeSamlIdp().metadata(validUntil="2027-01-15T08:00:00Z").decode(),
    ],
    ids=["text", "other XML", "DOCTYPE", "no provider", "no signing key", "no certificate", "over"],
)
async def test_metadata_by_which_nothing_could_be_verified_is_refused(iam: Service, metadata: str) -> None:
    code, message = await refused(iam, "CreateSAMLProvider", Name="Refused", SAMLMetadataDocument=metadata)
    assert code == "InvalidInput"
    assert message.startswith("Could not parse metadata.")
    await create(iam, "Refused")
    assert (await update(iam, "Refused", SAMLMetadataDocument=metadata))[0] == "InvalidInput"
    await done(iam, "DeleteSAMLProvider", SAMLProviderArn=arn("Refused"))


async def test_metadata_is_at_least_a_thousand_characters_and_larger_ones_than_a_request_are_refused(
    iam: Service,
) -> None:
    code, message = await refused(iam, "CreateSAMLProvider", Name="Short", SAMLMetadataDocument="x" * 999)
    assert (code, "'sAMLMetadataDocument'" in message) == ("ValidationError", True)
    long = METADATA.replace("<md:NameIDFormat>", " " * 400_000 + "<md:NameIDFormat>")
    await create(iam, "Long", long)
    assert (await shown(iam, "Long"))["SAMLMetadataDocument"] == long
    longer = {"Name": "Longer", "SAMLMetadataDocument": "x" * 600_000}
    assert (await refused(iam, "CreateSAMLProvider", **longer))[0] == "RequestEntityTooLarge"


async def test_names_are_unique_in_the_account(iam: Service) -> None:
    await create(iam, "Once")
    again = {"Name": "Once", "SAMLMetadataDocument": METADATA}
    assert await refused(iam, "CreateSAMLProvider", **again) == (
        "EntityAlreadyExists",
        "SAMLProvider Once already exists.",
    )
    await create(iam, "once")


async def test_an_account_has_a_hundred_providers_at_most(iam: Service) -> None:
    store = iam.app.store
    count = SAML_PROVIDERS_PER_ACCOUNT - len(store.view().saml_providers.of(ACCOUNT))
    spare = [SamlProvider(ACCOUNT, f"spare{n}", "U", "e", METADATA, None, 1) for n in range(count - 1)]
    async with store.transaction() as transaction:
        for provider in spare:
            await transaction.put(provider)
    await create(iam, "Last")
    last = {"Name": "Beyond", "SAMLMetadataDocument": METADATA}
    assert (await refused(iam, "CreateSAMLProvider", **last))[0] == "LimitExceeded"
    summary = (await done(iam, "GetAccountSummary"))["SummaryMap"]
    assert summary["Providers"] == SAML_PROVIDERS_PER_ACCOUNT
    async with store.transaction() as transaction:
        for provider in spare:
            await transaction.delete(provider)


async def test_an_update_changes_what_is_sent_and_nothing_else(iam: Service) -> None:
    await create(iam, "Changing", Tags=TAGS)
    before = await shown(iam, "Changing")
    other = FakeSamlIdp("urn:other").metadata(validUntil="2040-01-01T00:00:00Z").decode()
    await done(iam, "UpdateSAMLProvider", SAMLProviderArn=arn("Changing"), SAMLMetadataDocument=other)
    after = await shown(iam, "Changing")
    assert after == {**before, "SAMLMetadataDocument": other, "ValidUntil": after["ValidUntil"]}
    stored = iam.app.store.view().saml_providers.with_name(ACCOUNT, "Changing")
    assert stored is not None
    assert stored.entity_id == "urn:other"
    await done(iam, "UpdateSAMLProvider", SAMLProviderArn=arn("Changing"), AssertionEncryptionMode="Allowed")
    assert await shown(iam, "Changing") == {**after, "AssertionEncryptionMode": "Allowed"}


async def test_an_update_of_nothing_and_of_two_keys_at_once_is_refused(iam: Service) -> None:
    await create(iam, "Nothing")
    assert await update(iam, "Nothing") == (
        "InvalidInput",
        "Unable to update identity provider. No updates are defined for metadata or encryption assertion.",
    )
    assert await update(iam, "Nothing", AddPrivateKey=pem(rsa_key()), RemovePrivateKey="K" * 32) == (
        "InvalidInput",
        "Unable to add and remove private keys in the same request. Set a value for only one of the two parameters.",
    )


# Private keys


async def test_private_keys_are_two_at_most_and_never_shown(iam: Service) -> None:
    await create(iam, "Keys", AddPrivateKey=pem(rsa_key(1)), AssertionEncryptionMode="Required")
    first = (await shown(iam, "Keys"))["PrivateKeyList"]
    iam.clock.advance(5)
    assert await update(iam, "Keys", AddPrivateKey=pem(rsa_key(2))) == (None, "")
    listed = (await shown(iam, "Keys"))["PrivateKeyList"]
    assert [key["KeyId"] for key in listed][:1] == [first[0]["KeyId"]]
    assert (listed[1]["Timestamp"] - listed[0]["Timestamp"]).total_seconds() == 5
    third = await update(iam, "Keys", AddPrivateKey=pem(rsa_key(3)))
    assert third == ("LimitExceeded", "Private key limit of 2 is reached.")
    answer = await asked(iam, "GetSAMLProvider", SAMLProviderArn=arn("Keys"))
    assert b"PRIVATE KEY" not in answer.body
    assert await update(iam, "Keys", RemovePrivateKey="K" * 32) == (
        "InvalidInput",
        "Failed to remove private key because the Key ID does not match a private key.",
    )
    assert await update(iam, "Keys", RemovePrivateKey=listed[0]["KeyId"]) == (None, "")
    assert await update(iam, "Keys", RemovePrivateKey=listed[1]["KeyId"]) == (
        "InvalidInput",
        "Failed to remove private key.",
    )
    last = {"AssertionEncryptionMode": "Allowed", "RemovePrivateKey": listed[1]["KeyId"]}
    assert await update(iam, "Keys", **last) == (None, "")
    assert (await shown(iam, "Keys"))["PrivateKeyList"] == []


async def test_a_mode_that_requires_encryption_needs_a_key(iam: Service) -> None:
    required = {"SAMLMetadataDocument": METADATA, "AssertionEncryptionMode": "Required"}
    assert await refused(iam, "CreateSAMLProvider", Name="Requiring", **required) == ("InvalidInput", NO_KEY)
    await create(iam, "Requiring")
    assert await update(iam, "Requiring", AssertionEncryptionMode="Required") == ("InvalidInput", NO_KEY)
    assert await update(iam, "Requiring", AssertionEncryptionMode="Required", AddPrivateKey=pem(rsa_key())) == (
        None,
        "",
    )


@pytest.mark.parametrize(
    "text",
    [
        "no key",
        pem(rsa_key(), passphrase=b"secret"),
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(private_key("RSA", 0, 1024)),
        pem(rsa_key()).replace("PRIVATE", "PUBLIC"),
        pem(rsa_key())[:-60],
        "x" * 4097,
    ],
    ids=["text", "passphrase", "elliptic", "small", "public", "cut", "long"],
)
async def test_a_private_key_is_an_rsa_key_without_a_passphrase(iam: Service, text: str) -> None:
    wanted = {"Name": "Keyless", "SAMLMetadataDocument": METADATA, "AddPrivateKey": text}
    assert await refused(iam, "CreateSAMLProvider", **wanted) == ("InvalidInput", "Invalid private key.")


async def test_a_private_key_is_stored_under_the_master_key_for_its_provider(iam: Service) -> None:
    key = rsa_key(4)
    await create(
        iam,
        "Wrapped",
        AddPrivateKey=key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode(),
    )
    stored = iam.app.store.view().saml_providers.with_name(ACCOUNT, "Wrapped")
    assert stored is not None
    (kept,) = stored.private_keys
    der = MasterKey.parse(MASTER).unwrap(kept.wrapped, private_key_label(stored.arn, kept.key_id))
    assert der == key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert isinstance(key, rsa.RSAPrivateKey)


# Which provider is meant


@pytest.mark.parametrize(
    ("named", "code"),
    [
        (f"arn:aws:iam::{ACCOUNT}:oidc-provider/Named", "InvalidInput"),
        (f"arn:aws:iam::{ACCOUNT}:saml-provider/", "InvalidInput"),
        ("this is no ARN, not at all", "InvalidInput"),
        ("arn:aws:iam::210987654321:saml-provider/Named", "NoSuchEntity"),
        (f"arn:aws-cn:iam::{ACCOUNT}:saml-provider/Named", "NoSuchEntity"),
        (f"arn:aws:iam:us-east-1:{ACCOUNT}:saml-provider/Named", "NoSuchEntity"),
        (f"arn:aws:iam::{ACCOUNT}:saml-provider/named", "NoSuchEntity"),
    ],
)
async def test_a_provider_is_named_by_its_whole_arn(iam: Service, named: str, code: str) -> None:
    if (await refused(iam, "GetSAMLProvider", SAMLProviderArn=arn("Named")))[0] is not None:
        await create(iam, "Named")
    for operation in ("GetSAMLProvider", "DeleteSAMLProvider", "ListSAMLProviderTags"):
        assert (await refused(iam, operation, SAMLProviderArn=named))[0] == code
    changed = {"SAMLProviderArn": named, "SAMLMetadataDocument": METADATA}
    assert (await refused(iam, "UpdateSAMLProvider", **changed))[0] == code
    await shown(iam, "Named")


async def test_the_words_of_a_provider_that_is_not_there_are_awss(iam: Service) -> None:
    absent = arn("Absent")
    told = await refused(iam, "GetSAMLProvider", SAMLProviderArn=absent)
    assert told == ("NoSuchEntity", f"Manifest not found for arn {absent}")
