# SPDX-License-Identifier: Apache-2.0
"""A provider that wants our requests signed verifies them, with the certificate that our metadata has for its registration."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from journeys.roles import unique
from journeys.saml import Federation, register
from real.key_pairs import rsa_pair
from real.person import Person
from real.simplesamlphp import simplesamlphp
from running import Server


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def request_of(federation: Federation) -> str:
    """The address that the sign-in sends a browser to."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.build_opener(_Stay()).open(federation.start, timeout=10)
    with caught.value as answer:
        return answer.headers["Location"]


@pytest.fixture(scope="module")
def wanting(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with simplesamlphp(tmp_path_factory.mktemp("wanting")) as provider:
        provider.want_signed_requests()
        made = register(provider, unique("wanting"), server)
        made.iam.update_saml_provider(SAMLProviderArn=made.arn, AddPrivateKey=rsa_pair("requests").private_key)
        made.introduce()
        yield made


def test_a_signed_request_is_answered(wanting: Federation) -> None:
    role = wanting.role()
    somebody = Person()
    assert "&Signature=" in request_of(wanting)
    form = somebody.sign_in(wanting.start, wanting.person(role))
    assert role in somebody.open(form.action, form.fields).text


@pytest.mark.parametrize("parameter", ["Signature", "RelayState"])
def test_the_provider_does_verify_it(wanting: Federation, parameter: str) -> None:
    altered = re.sub(rf"&{parameter}=[^&]{{4}}", f"&{parameter}=AAAA", request_of(wanting))
    page = Person().open(altered)
    assert "password" not in page.text.lower()
    assert "Exception" in page.text


def test_a_second_key_changes_nothing_for_a_provider_that_knows_the_first(wanting: Federation) -> None:
    wanting.iam.update_saml_provider(SAMLProviderArn=wanting.arn, AddPrivateKey=rsa_pair("second").private_key)
    role = wanting.role()
    form = Person().sign_in(wanting.start, wanting.person(role))
    assert form.action == wanting.consumer
