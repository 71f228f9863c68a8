# SPDX-License-Identifier: Apache-2.0
"""Assertions that only we can read: the provider encrypts to a certificate in our metadata, and keys are changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from journeys.refusals import refusal, refused
from journeys.roles import ACCOUNT, unique
from journeys.saml import RUNNING, Federation, register
from real.key_pairs import rsa_pair
from real.person import Person
from running import Server, running_server

CBC_IS_ALL_IT_HAS = "simplesamlphp"
"""Debian's release encrypts with AES in CBC mode, which the configuration has to allow; samlp's default is GCM."""


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose configuration file allows one provider CBC."""
    folder = tmp_path_factory.mktemp("configured")
    arn = f"arn:aws:iam::{ACCOUNT}:saml-provider/{CBC_IS_ALL_IT_HAS}"
    (folder / "daypass.yaml").write_text(f"saml: {{providers: {{'{arn}': {{allow_cbc: true}}}}}}\n", encoding="utf-8")
    with running_server(folder, allow_loopback_http=True, config=folder / "daypass.yaml") as running:
        yield running
        assert running.alarms() == []


@pytest.fixture(scope="module", params=sorted(RUNNING))
def registered(
    request: pytest.FixtureRequest, configured: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Federation]:
    with RUNNING[request.param](tmp_path_factory.mktemp(request.param)) as provider:
        yield register(provider, request.param, configured)


@pytest.fixture
def encrypting(registered: Federation) -> Iterator[Federation]:
    """A provider that encrypts, until the test ends; then the registration is as it was."""
    add_key(registered, "first")
    registered.provider.encrypt(True)
    yield registered
    registered.provider.encrypt(False)
    registered.iam.update_saml_provider(SAMLProviderArn=registered.arn, AssertionEncryptionMode="Allowed")
    for left in key_ids(registered):
        remove_key(registered, left)


def add_key(federation: Federation, name: str) -> None:
    """Give the registration a private key, and the provider our new metadata."""
    federation.iam.update_saml_provider(SAMLProviderArn=federation.arn, AddPrivateKey=rsa_pair(name).private_key)
    federation.introduce()


def remove_key(federation: Federation, key_id: str) -> None:
    federation.iam.update_saml_provider(SAMLProviderArn=federation.arn, RemovePrivateKey=key_id)
    federation.introduce()


def key_ids(federation: Federation) -> list[str]:
    provider = federation.iam.get_saml_provider(SAMLProviderArn=federation.arn)
    return [key["KeyId"] for key in provider.get("PrivateKeyList", [])]


def test_an_encrypted_assertion_is_worth_credentials(encrypting: Federation) -> None:
    role = encrypting.role()
    login = encrypting.person(role)
    form = encrypting.response(login)
    assert b"EncryptedAssertion" in form.response
    assert login.encode() not in form.response
    assert encrypting.assume(role, form)["Issuer"] == encrypting.provider.entity_id


def test_the_page_of_roles_is_reached_by_an_encrypted_assertion(encrypting: Federation) -> None:
    role = encrypting.role()
    somebody = Person()
    form = somebody.sign_in(encrypting.start, encrypting.person(role))
    assert b"EncryptedAssertion" in form.response
    assert role in somebody.open(form.action, form.fields).text


def test_where_encryption_is_required_a_readable_assertion_is_refused(encrypting: Federation) -> None:
    role = encrypting.role()
    login = encrypting.person(role)
    encrypted = encrypting.response(login)
    encrypting.provider.encrypt(False)
    readable = encrypting.response(login)
    encrypting.iam.update_saml_provider(SAMLProviderArn=encrypting.arn, AssertionEncryptionMode="Required")
    assert encrypting.refused(role, readable) == ("InvalidIdentityToken", "saml-encryption-required")
    assert encrypting.assume(role, encrypted)["Credentials"]


def test_a_private_key_is_rolled_over_while_serving(encrypting: Federation) -> None:
    role = encrypting.role()
    login = encrypting.person(role)
    (old,) = key_ids(encrypting)
    for_the_old, too_late = encrypting.response(login), encrypting.response(login)
    add_key(encrypting, "second")
    for_the_new = encrypting.response(login)
    assert encrypting.assume(role, for_the_old)["Credentials"], "both keys decrypt"
    assert encrypting.assume(role, for_the_new)["Credentials"]
    remove_key(encrypting, old)
    assert encrypting.assume(role, encrypting.response(login))["Credentials"]
    assert encrypting.refused(role, too_late) == ("InvalidIdentityToken", "saml-decryption-failed")


def test_the_last_key_of_a_provider_that_must_encrypt_stays(encrypting: Federation) -> None:
    (only,) = key_ids(encrypting)
    encrypting.iam.update_saml_provider(SAMLProviderArn=encrypting.arn, AssertionEncryptionMode="Required")
    call = encrypting.iam.update_saml_provider
    assert refused(call, SAMLProviderArn=encrypting.arn, RemovePrivateKey=only) == ("InvalidInput", 400)


def test_cbc_is_refused_where_the_configuration_does_not_allow_it(encrypting: Federation) -> None:
    # The same provider, registered under a name that the configuration file says nothing of.
    other = register(encrypting.provider, unique("not-allowed"), encrypting.server)
    add_key(other, "first")
    role = other.role()
    form = other.response(other.person(role))
    encrypting.introduce()
    if encrypting.name == CBC_IS_ALL_IT_HAS:
        assert "encryption algorithm" in refusal(other.assume, role=role, form=form).message
    else:
        assert other.assume(role, form)["Credentials"]
