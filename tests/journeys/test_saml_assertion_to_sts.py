# SPDX-License-Identifier: Apache-2.0
"""A person signs in at a real SAML identity provider; the response is worth credentials, by the aws command and by boto3."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

from journeys.refusals import refused
from journeys.roles import ACCOUNT, allow, document, role_arn, statement
from journeys.saml import AWS_NAMES, PERSISTENT, Federation
from real.person import Form, Person
from real.service_provider import PaperServiceProvider
from running import Keys, Server


def altered(form: Form, old: bytes, new: bytes) -> Form:
    assert old in form.response
    changed = base64.b64encode(form.response.replace(old, new)).decode()
    return replace(form, fields={**form.fields, "SAMLResponse": changed})


def test_the_aws_command_turns_an_assertion_into_credentials_that_work(
    federation: Federation, server: Server, tmp_path: Path
) -> None:
    role = federation.role(allow("iam:GetRole"))
    login = federation.person(role)
    assertion = tmp_path / "assertion.b64"
    assertion.write_text(federation.response(login).fields["SAMLResponse"], encoding="ascii")
    answer = server.aws(
        "sts",
        "assume-role-with-saml",
        "--role-arn",
        role_arn(role),
        "--principal-arn",
        federation.arn,
        "--saml-assertion",
        f"file://{assertion}",
    ).answer
    assert answer["Issuer"] == federation.provider.entity_id
    assert answer["Audience"] == federation.consumer
    assert answer["SubjectType"] == "persistent"
    assert answer["NameQualifier"] == federation.name_qualifier()
    keys = Keys.of(answer["Credentials"])
    whoami = server.aws("sts", "get-caller-identity", keys=keys).answer
    assert whoami["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{login}@example.org"
    assert server.client("iam", keys).get_role(RoleName=role)["Role"]["RoleName"] == role
    assert refused(server.client("iam", keys).list_roles) == ("AccessDenied", 403)


def test_attributes_are_tags_of_the_session_and_conditions_of_the_trust(federation: Federation, server: Server) -> None:
    conditions = {
        "StringEquals": {"SAML:aud": federation.consumer, "SAML:sub_type": "persistent"},
        "StringLike": {"aws:RequestTag/Team": "plat*"},
    }
    own = statement("Allow", "iam:GetRole", Condition={"StringEquals": {"aws:PrincipalTag/Team": "platform"}})
    role = federation.role(document(own), tags=True, conditions=conditions)
    platform = federation.person(role, said={f"{AWS_NAMES}/PrincipalTag:Team": ["platform"]})
    plants = federation.person(role, said={f"{AWS_NAMES}/PrincipalTag:Team": ["plants"]})
    untagged = federation.person(role)
    keys = federation.session(role, platform)
    assert server.client("iam", keys).get_role(RoleName=role)
    assert federation.refused(role, federation.response(plants)) == ("AccessDenied", "not-trusted")
    assert federation.refused(role, federation.response(untagged)) == ("AccessDenied", "not-trusted")


def test_any_attribute_can_be_asked_for_in_a_trust_policy(federation: Federation) -> None:
    role = federation.role(conditions={"ForAnyValue:StringEquals": {"saml:attribute/groups": ["developers"]}})
    member = federation.person(role, said={"groups": ["on call", "developers"]})
    other = federation.person(role, said={"groups": ["on call"]})
    assert federation.assume(role, federation.response(member))["Credentials"]
    assert federation.refused(role, federation.response(other)) == ("AccessDenied", "not-trusted")


def test_how_long_a_session_lasts_is_an_attribute(federation: Federation) -> None:
    role = federation.role()
    login = federation.person(role, said={f"{AWS_NAMES}/SessionDuration": ["900"]})
    credentials = federation.assume(role, federation.response(login))["Credentials"]
    longer = federation.assume(role, federation.response(federation.person(role)))["Credentials"]
    assert 2690 <= (longer["Expiration"] - credentials["Expiration"]).total_seconds() <= 2710


def test_an_assertion_is_spent_once(federation: Federation) -> None:
    role = federation.role()
    form = federation.response(federation.person(role))
    assert federation.assume(role, form)["Credentials"]
    assert federation.refused(role, form) == ("InvalidIdentityToken", "saml-replayed")


def test_a_role_that_the_person_was_not_given_is_refused(federation: Federation) -> None:
    mine, other = federation.role(), federation.role()
    form = federation.response(federation.person(mine))
    assert federation.refused(other, form) == ("AccessDenied", "not-trusted")


def test_a_letter_changed_after_signing_is_refused(federation: Federation) -> None:
    role = federation.role()
    login = federation.person(role)
    form = altered(federation.response(login), f"{login}@".encode(), f"{login}@x.".encode())
    assert federation.refused(role, form) == ("InvalidIdentityToken", "saml-digest-mismatch")


def test_an_unsigned_response_is_refused(federation: Federation) -> None:
    role = federation.role()
    login = federation.person(role)
    federation.introduce_without_wishes()
    federation.provider.sign(response=False, assertion=False)
    form = federation.response(login)
    federation.provider.sign(response=False, assertion=True)
    federation.introduce()
    assert b"Signature" not in form.response
    assert federation.refused(role, form) == ("InvalidIdentityToken", "saml-unsigned")


def test_a_signed_response_is_as_good_as_a_signed_assertion(federation: Federation) -> None:
    role = federation.role()
    login = federation.person(role)
    federation.introduce_without_wishes()
    federation.provider.sign(response=True, assertion=False)
    only_response = federation.response(login)
    federation.introduce()
    federation.provider.sign(response=True, assertion=True)
    both = federation.response(login)
    federation.provider.sign(response=False, assertion=True)
    for form in (only_response, both):
        assert federation.assume(role, form)["SubjectType"] == "persistent"


def test_a_response_for_another_service_is_refused(federation: Federation) -> None:
    role = federation.role()
    login = federation.person(role)
    other = PaperServiceProvider("https://other.example.org/saml/metadata", "https://other.example.org/saml")
    federation.provider.trust(other.metadata())
    form = Person().sign_in(federation.provider.start_url(other.entity_id), login)
    assert federation.refused(role, form) == ("InvalidIdentityToken", "saml-audience-mismatch")


def test_a_signature_with_sha1_is_refused(federation: Federation) -> None:
    role = federation.role()
    login = federation.person(role)
    federation.provider.use_sha1(True)
    form = federation.response(login)
    federation.provider.use_sha1(False)
    assert federation.refused(role, form) == ("InvalidIdentityToken", "saml-algorithm-refused")


def test_the_subject_is_named_as_the_provider_names_it(federation: Federation) -> None:
    role = federation.role()
    form = federation.response(federation.person(role))
    answer = federation.assume(role, form)
    assert f'Format="{PERSISTENT}">{answer["Subject"]}<'.encode() in form.response
