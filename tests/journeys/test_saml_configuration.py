# SPDX-License-Identifier: Apache-2.0
"""
What the configuration file allows: names of AWS's for providers that are set up for AWS, assertions that may be used again,
signatures of old providers. Each for the provider that it names, and for no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from journeys.roles import ACCOUNT, unique
from journeys.saml import RUNNING, Federation, register
from real.person import Person
from real.saml_provider import SamlProvider
from real.service_provider import PaperServiceProvider
from running import Server, running_server

AWS = PaperServiceProvider("urn:amazon:webservices", "https://signin.aws.amazon.com/saml")


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:saml-provider/{name}"


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("configured")
    allowed: dict[str, dict[str, object]] = {}
    for kind in RUNNING:
        allowed |= {arn(f"{kind}-old"): {"allow_sha1": True}, arn(f"{kind}-again"): {"replay": "aws"}}
    content = {"saml": {"accept_aws_names": True, "providers": allowed}}
    (folder / "daypass.yaml").write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML
    with running_server(folder, config=folder / "daypass.yaml") as running:
        yield running
        assert running.alarms() == []


@pytest.fixture(scope="module", params=sorted(RUNNING))
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SamlProvider]:
    with RUNNING[request.param](tmp_path_factory.mktemp(request.param)) as provider:
        yield provider


@pytest.fixture
def plain(running: SamlProvider, configured: Server) -> Federation:
    """The provider under a name for which nothing is allowed."""
    return register(running, unique(running.name), configured)


def test_a_provider_that_is_set_up_for_aws_works_as_it_is(plain: Federation) -> None:
    role = plain.role(conditions={"StringEquals": {"SAML:aud": AWS.consumer}})
    login = plain.person(role)
    plain.provider.trust(AWS.metadata())
    form = Person().sign_in(plain.provider.start_url(AWS.entity_id), login)
    assert form.action == AWS.consumer
    assert plain.assume(role, form)["Audience"] == AWS.consumer


def test_an_assertion_is_used_again_where_that_is_allowed(running: SamlProvider, configured: Server) -> None:
    again = register(running, f"{running.name}-again", configured)
    role = again.role()
    form = again.response(again.person(role))
    first, second = again.assume(role, form), again.assume(role, form)
    assert first["Credentials"]["AccessKeyId"] != second["Credentials"]["AccessKeyId"]


def test_sha1_is_taken_where_that_is_allowed_and_the_log_says_so(
    running: SamlProvider, configured: Server, plain: Federation
) -> None:
    old = register(running, f"{running.name}-old", configured)
    old_role, plain_role = old.role(), plain.role()
    running.use_sha1(True)
    form, refused_form = old.response(old.person(old_role)), plain.response(plain.person(plain_role))
    running.use_sha1(False)
    assert old.assume(old_role, form)["Credentials"]
    assert plain.refused(plain_role, refused_form) == ("InvalidIdentityToken", "saml-algorithm-refused")
    said = [
        line for line in configured.log().splitlines() if "weak saml signature accepted" in line and old.arn in line
    ]
    assert len(said) == 1
