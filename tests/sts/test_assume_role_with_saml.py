# SPDX-License-Identifier: Apache-2.0
"""AssumeRoleWithSAML: whom it believes, and what it gives. Every parameter: test_saml_parameters.py."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from signxml.algorithms import DigestAlgorithm, SignatureMethod

from daypass.saml.limits import DEFAULT_LEEWAY, MAX_AGE
from fakes.saml_idp import Encryption, FakeSamlIdp, private_key, rsa_key
from iam.kitchen import statement
from iam.people import done
from iam.people import refused as iam_refused
from in_process import ACCOUNT
from sts.asking import another_account, given, keys_of, refusal, session_of, who
from sts.holding import principal_tags, role, session_in
from sts.saml_desk import ASK, AWS, PROVIDER_ARN, URL, SamlDesk, register, saml_desk, words

pytestmark = pytest.mark.asyncio(loop_scope="module")
DENIED = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML")
INVALID = "InvalidIdentityToken"
OTHER_KEY = private_key("RSA", 7)
ENCRYPTION_KEY = rsa_key(3)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SamlDesk]:
    """One service and one provider for all: every test makes roles of its own."""
    async with saml_desk(tmp_path_factory.mktemp("data")) as running:
        yield running


# What it gives


async def test_an_assertion_becomes_a_session_of_the_role_it_names(desk: SamlDesk) -> None:
    role_arn = await desk.role()
    output = await desk.output(role_arn, name_id="ann@example.org", attributes=words(role_arn))
    name = role_arn.rpartition("/")[2]
    assert await who(desk.sts, keys_of(output)) == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/ann"
    digest = hashlib.sha1(f"{desk.idp.entity_id}{ACCOUNT}/Office".encode()).digest()
    answered = {key: output.get(key) for key in ("Subject", "SubjectType", "Issuer", "Audience", "NameQualifier")}
    assert answered == {
        "Subject": "ann@example.org",
        "SubjectType": "persistent",
        "Issuer": desk.idp.entity_id,
        "Audience": f"{URL}/saml",
        "NameQualifier": base64.b64encode(digest).decode(),
    }
    assert not {"PackedPolicySize", "SourceIdentity"} & output.keys()


@pytest.mark.parametrize(
    ("name_id_format", "shown"),
    [
        ("urn:oasis:names:tc:SAML:2.0:nameid-format:transient", "transient"),
        ("urn:oasis:names:tc:SAML:2.0:nameid-format:entity", "entity"),
        *[(whole := "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", whole)],
        (None, "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"),
    ],
)
async def test_the_subject_type_is_the_format_without_the_prefix_of_saml_2(
    desk: SamlDesk, name_id_format: str | None, shown: str
) -> None:
    form = {} if name_id_format is None else {"Format": name_id_format}
    role_arn = await desk.role()
    # An empty mapping would be the default of the fake: an attribute that says nothing here is not.
    output = await desk.output(role_arn, name_id_attributes=form or {"NameQualifier": "x"})
    assert output["SubjectType"] == shown


async def test_the_session_knows_its_provider_and_subject(desk: SamlDesk) -> None:
    role_arn = await desk.role(
        {
            **statement("Allow", "iam:ListUsers"),
            "Condition": {"StringEquals": {"aws:FederatedProvider": PROVIDER_ARN}},
        }
    )
    session = await desk.session(role_arn)
    sealed = session_in(desk.sts, session)
    assert (sealed.provider_arn, sealed.subject) == (PROVIDER_ARN, "alice")
    answer = await desk.sts.call("iam", "ListUsers", session)
    assert answer.status == 200


async def test_tags_and_the_source_identity_of_an_assertion_go_on_along_the_chain(desk: SamlDesk) -> None:
    first, second = await desk.role(statement("Allow", "sts:*")), await role(desk.sts)
    said = words(
        first, PrincipalTag__Team="red", PrincipalTag__Cost="", TransitiveTagKeys=["team"], SourceIdentity="ann"
    )
    output = await desk.output(first, said)
    assert output["SourceIdentity"] == "ann"
    assert principal_tags(desk.sts, keys_of(output)) == {"team": "red", "cost": ""}
    chained = await session_of(desk.sts, keys_of(output), second)
    assert principal_tags(desk.sts, chained) == {"team": "red"}
    sealed = session_in(desk.sts, chained)
    assert (sealed.source_identity, sealed.origin_provider, sealed.origin_subject) == ("ann", PROVIDER_ARN, "alice")


async def test_tags_and_a_source_identity_need_their_own_permissions(desk: SamlDesk) -> None:
    role_arn = await desk.role(trust=desk.trust("sts:AssumeRoleWithSAML"))
    assert await desk.refused(role_arn, words(role_arn, PrincipalTag__Team="red")) == (
        "AccessDenied",
        "Not authorized to perform sts:TagSession",
    )
    assert await desk.refused(role_arn, words(role_arn, SourceIdentity="ann")) == (
        "AccessDenied",
        "Not authorized to perform sts:SetSourceIdentity",
    )
    await desk.session(role_arn)


# Whom it believes


async def test_an_assertion_counts_with_one_signature_with_the_other_and_with_both(desk: SamlDesk) -> None:
    role_arn = await desk.role()
    for sign in ("assertion", "response", "both"):
        await desk.session(role_arn, sign=sign)


async def test_what_was_not_signed_or_is_signed_by_somebody_else_is_refused(desk: SamlDesk) -> None:
    role_arn = await desk.role()
    stranger = FakeSamlIdp(desk.idp.entity_id, key=OTHER_KEY)
    assert (await desk.refused(role_arn, sign="none"))[0] == INVALID
    assert await desk.refused(role_arn, idp=stranger) == (INVALID, "Response signature invalid")
    assert await desk.refused(role_arn, idp=stranger, sign="response") == (INVALID, "Response signature invalid")


async def test_what_was_changed_after_it_was_signed_is_refused(desk: SamlDesk) -> None:
    role_arn = await desk.role()
    wanted = desk.wanted(role_arn)
    raw = base64.b64decode(wanted["SAMLAssertion"])
    for before, after in ((b">alice<", b">admin<"), (b">ann<", b">bob<")):
        assert before in raw
        altered = base64.b64encode(raw.replace(before, after)).decode()
        changed = wanted | {"SAMLAssertion": altered}
        assert await refusal(desk.sts, ASK, None, **changed) == (INVALID, "Response signature invalid")
    await given(desk.sts, ASK, None, **wanted)


async def test_two_assertions_and_one_twice_signed_are_refused(desk: SamlDesk) -> None:
    role_arn = await desk.role()

    def twice(root: Any) -> None:
        assertion = root.find("{*}Assertion")
        copy = type(assertion).__copy__(assertion)
        copy.set("ID", "_other")
        root.append(copy)

    assert (await desk.refused(role_arn, edit=twice))[0] == INVALID
    wanted = desk.wanted(role_arn, sign="assertion")
    raw = base64.b64decode(wanted["SAMLAssertion"])
    start, end = raw.index(b"<ds:Signature"), raw.index(b"</ds:Signature>") + len(b"</ds:Signature>")
    doubled = base64.b64encode(raw[:end] + raw[start:end] + raw[end:]).decode()
    assert (await refusal(desk.sts, ASK, None, **wanted | {"SAMLAssertion": doubled}))[0] == INVALID


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"audience": "https://other.example.org"}, "Response does not contain the required audience."),
        ({"audience": "https://signin.aws.amazon.com/saml"}, "Response does not contain the required audience."),
        ({"audience": f"{URL}/saml/metadata/"}, "Response does not contain the required audience."),
        ({"recipient": f"{URL}/saml/"}, "recipient"),
        ({"recipient": "https://signin.aws.amazon.com/saml"}, "recipient"),
        ({"destination": "https://other.example.org/saml"}, "destination"),
        ({"issuer": "https://other.example.org"}, "Issuer not present in specified provider"),
        ({"response_issuer": "https://other.example.org"}, "Issuer not present in specified provider"),
        ({"not_before": 3600}, "not valid yet"),
    ],
)
async def test_an_assertion_that_is_for_somebody_else_is_refused(
    desk: SamlDesk, said: dict[str, Any], message: str
) -> None:
    role_arn = await desk.role()
    code, told = await desk.refused(role_arn, **said)
    assert code == INVALID
    assert message in told


@pytest.mark.parametrize(
    "said",
    [
        {"not_on_or_after": -DEFAULT_LEEWAY},
        {"confirmed_until": -DEFAULT_LEEWAY},
        {"session_until": -DEFAULT_LEEWAY},
        {"session_until": -1},
        {"issued_at": -MAX_AGE - DEFAULT_LEEWAY - 1},
    ],
)
async def test_an_assertion_that_has_expired_is_refused_as_such(desk: SamlDesk, said: dict[str, Any]) -> None:
    role_arn = await desk.role()
    assert (await desk.refused(role_arn, **said))[0] == "ExpiredTokenException"
    await desk.session(role_arn)


async def test_a_sign_in_that_failed_is_a_claim_that_the_provider_rejected(desk: SamlDesk) -> None:
    role_arn = await desk.role()
    wanted = desk.wanted(role_arn, status="urn:oasis:names:tc:SAML:2.0:status:Responder")
    assert (await refusal(desk.sts, ASK, None, **wanted))[0] == "IDPRejectedClaim"


async def test_an_answer_to_a_request_of_the_callers_own_is_taken(desk: SamlDesk) -> None:
    """A command line tool asks the provider itself; what it asked with is between them (as with AWS)."""
    await desk.session(await desk.role(), in_response_to="_request-of-a-tool")


async def test_the_metadata_says_which_certificates_count_and_until_when(desk: SamlDesk) -> None:
    old, new = FakeSamlIdp("urn:rolling", key=private_key("RSA", 8)), FakeSamlIdp("urn:rolling", key=OTHER_KEY)
    arn = await register(desk.sts, old, "Rolling")
    role_arn = await desk.role(trust=desk.trust(provider=arn))
    said = words(role_arn, arn)

    async def code_of(idp: FakeSamlIdp) -> Any:
        wanted = desk.wanted(role_arn, said, idp=idp, PrincipalArn=arn)
        return (await refusal(desk.sts, ASK, None, **wanted))[0]

    async def update(*certificates: bytes, **more: Any) -> None:
        text = old.metadata(certificates=certificates, **more).decode()
        await done(desk.sts, "UpdateSAMLProvider", SAMLProviderArn=arn, SAMLMetadataDocument=text)

    assert [await code_of(old), await code_of(new)] == [None, INVALID]
    await update(old.certificate, new.certificate)
    assert [await code_of(old), await code_of(new)] == [None, None]
    await update(new.certificate, validUntil="2027-02-01T00:00:00Z")
    assert [await code_of(old), await code_of(new)] == [INVALID, None]
    before = desk.sts.clock()
    desk.sts.clock.advance(1_801_440_000 - before)  # 2027-02-01, the instant itself
    try:
        told = await refusal(desk.sts, ASK, None, **desk.wanted(role_arn, said, idp=new, PrincipalArn=arn))
        assert told == (INVALID, "The metadata of the specified provider has expired.")
    finally:
        desk.sts.clock.advance(before - desk.sts.clock())


async def test_a_provider_that_is_gone_or_was_never_there_is_refused_and_ends_its_sessions(desk: SamlDesk) -> None:
    arn = await register(desk.sts, desk.idp, "Passing")
    role_arn = await desk.role(statement("Allow", "iam:ListUsers"), trust=desk.trust(provider=arn))
    session = await desk.session(role_arn, words(role_arn, arn), PrincipalArn=arn)
    assert (await desk.sts.call("iam", "ListUsers", session)).status == 200
    await done(desk.sts, "DeleteSAMLProvider", SAMLProviderArn=arn)
    assert (await desk.sts.call("iam", "ListUsers", session)).code == "InvalidClientTokenId"
    wanted = desk.wanted(role_arn, words(role_arn, arn), PrincipalArn=arn)
    assert await refusal(desk.sts, ASK, None, **wanted) == (INVALID, "Specified provider doesn't exist.")
    desk.sts.clock.advance(1)
    await register(desk.sts, desk.idp, "Passing")
    assert (await desk.sts.call("iam", "ListUsers", session)).code == "InvalidClientTokenId"


# Which roles


async def test_role_pairs_count_in_either_order_and_with_spaces(desk: SamlDesk) -> None:
    role_arn = await desk.role()
    for pair in (f"{role_arn},{PROVIDER_ARN}", f"{PROVIDER_ARN},{role_arn}", f"\n  {role_arn} ,\n {PROVIDER_ARN}\n"):
        await desk.session(role_arn, words(role_arn, Role=[f"{await desk.role()},{PROVIDER_ARN}", pair]))


async def test_a_role_that_the_assertion_does_not_name_with_this_provider_is_refused(desk: SamlDesk) -> None:
    role_arn, other = await desk.role(), await desk.role()
    pairs = [
        f"{other},{PROVIDER_ARN}",
        f"{role_arn},{PROVIDER_ARN}s",
        f"{role_arn}s,{PROVIDER_ARN}",
        f"{role_arn.lower()},{PROVIDER_ARN}",
    ]
    for pair in pairs:
        assert await desk.refused(role_arn, words(role_arn, Role=pair)) == DENIED


async def test_a_role_that_does_not_trust_the_provider_or_is_not_there_is_refused_alike(desk: SamlDesk) -> None:
    stranger = await register(desk.sts, FakeSamlIdp("urn:stranger", key=OTHER_KEY), "Stranger")
    untrusting = await desk.role(trust=desk.trust(provider=stranger))
    absent = f"arn:aws:iam::{ACCOUNT}:role/Absent"
    web = await desk.role(trust=desk.trust("sts:AssumeRoleWithWebIdentity"))
    for role_arn in (untrusting, absent, web, (await desk.role(Path="/team/")).replace("/team/", "/")):
        assert await desk.refused(role_arn) == DENIED


async def test_a_provider_vouches_for_roles_of_its_own_account_only(desk: SamlDesk) -> None:
    root = await another_account(desk.sts, "210987654321")
    trust = {"RoleName": "Elsewhere", "AssumeRolePolicyDocument": desk.trust()}
    await desk.sts.call("iam", "CreateRole", root, **trust)
    assert await desk.refused("arn:aws:iam::210987654321:role/Elsewhere") == DENIED


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"Role": None}, "Role is required in AuthnResponse"),
        ({"Role": ["", ""]}, "Role is required in AuthnResponse"),
        ({"Role": "uma_authorization"}, "Role in AuthnResponse must be"),
        ({"Role": "arn:aws:iam::123456789012:role/R"}, "Role in AuthnResponse must be"),
        ({"RoleSessionName": None}, "RoleSessionName is required in AuthnResponse"),
        ({"RoleSessionName": ""}, "RoleSessionName is required in AuthnResponse"),
        ({"RoleSessionName": "a b"}, "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"),
        ({"RoleSessionName": "a"}, "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"),
        ({"RoleSessionName": "x" * 65}, "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"),
        ({"RoleSessionName": ["ann", "bob"]}, "RoleSessionName in AuthnResponse must match"),
        ({"SourceIdentity": "aws:ann"}, "Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with"),
        ({"SourceIdentity": "a"}, "Source Identity must match"),
        ({"SourceIdentity": ["ann", "bob"]}, "Source Identity must match"),
        ({"SessionDuration": "899"}, "SessionDuration in AuthnResponse must be"),
        ({"SessionDuration": "43201"}, "SessionDuration in AuthnResponse must be"),
        ({"SessionDuration": "1h"}, "SessionDuration in AuthnResponse must be"),
        ({"SessionDuration": ["900", "3600"]}, "SessionDuration in AuthnResponse must be"),
        ({"PrincipalTag__Team": ["red", "blue"]}, "Expected a session tag to have one value."),
        ({"PrincipalTag__Team": []}, "Expected a session tag to have one value."),
        ({"PrincipalTag__Team": "red*"}, "A session tag's value has"),
        ({"PrincipalTag__Team": "x" * 257}, "A session tag's value has"),
        ({"PrincipalTag__": "x"}, "A session tag's key has"),
        ({f"PrincipalTag__{'x' * 129}": "x"}, "A session tag's key has"),
        ({"PrincipalTag__aws__Team": "x"}, "reserved"),
        ({"PrincipalTag__Team": "red", "PrincipalTag__team": "red"}, "differ only in case"),
        ({f"PrincipalTag__k{number}": "v" for number in range(51)}, "more than 50 session tags"),
        ({"TransitiveTagKeys": "Team"}, "transitive tag key"),
        ({"PrincipalTag__Team": "red", "TransitiveTagKeys": ["Team", "TEAM"]}, "transitive tag key"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
async def test_an_attribute_that_is_missing_or_malformed_is_refused_in_words_that_name_it(
    desk: SamlDesk, changed: dict[str, Any], message: str
) -> None:
    role_arn = await desk.role()
    code, told = await desk.refused(role_arn, words(role_arn, **changed))
    assert code == INVALID
    assert message in told


# What trust policies may ask


async def test_conditions_of_a_trust_policy_are_asked_of_the_assertion(desk: SamlDesk) -> None:
    digest = hashlib.sha1(f"{desk.idp.entity_id}{ACCOUNT}/Office".encode()).digest()
    condition = {
        "StringEquals": {
            "SAML:aud": f"{URL}/saml",
            "saml:iss": desk.idp.entity_id,
            "saml:sub": "alice",
            "saml:sub_type": "persistent",
            "saml:doc": f"{ACCOUNT}/Office",
            "saml:namequalifier": base64.b64encode(digest).decode(),
            "saml:edupersonorgdn": "ExampleOrg",
            "sts:RoleSessionName": "ann",
        },
        "ForAnyValue:StringEquals": {
            "saml:edupersonaffiliation": "staff",
            "saml:attribute/https://idp.example.org/Cost": "7",
        },
    }
    more = {
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.1": ["member", "staff"],
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.3": ["ExampleOrg"],
        "https://idp.example.org/cost": ["6", "7"],
    }
    role_arn = await desk.role(trust=desk.trust(condition=condition))
    good = {**words(role_arn), **more}
    await desk.session(role_arn, good)
    assert await desk.refused(role_arn, {**good, "urn:oid:1.3.6.1.4.1.5923.1.1.1.1": ["student"]}) == DENIED
    assert await desk.refused(role_arn, {**good, "https://idp.example.org/cost": ["6"]}) == DENIED
    assert await desk.refused(role_arn, good, name_id="bob") == DENIED
    assert await desk.refused(role_arn, words(role_arn)) == DENIED


async def test_no_attribute_passes_for_a_key_of_ours(desk: SamlDesk) -> None:
    trust = desk.trust(condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})
    role_arn = await desk.role(trust=trust)
    for more in ({"aws:PrincipalTag/team": ["red"]}, {"saml:sub": ["root"]}):
        assert await desk.refused(role_arn, {**words(role_arn), **more}) == DENIED
    of_alice = await desk.role(trust=desk.trust(condition={"StringEquals": {"saml:sub": "root"}}))
    assert await desk.refused(of_alice, {**words(of_alice), "saml:sub": ["root"]}) == DENIED


async def test_names_that_differ_only_in_case_and_two_values_where_one_is_meant_are_rejected_claims(
    desk: SamlDesk,
) -> None:
    role_arn = await desk.role()
    for more in ({"mail": ["a"], "Mail": ["b"]}, {"urn:oid:1.3.6.1.4.1.5923.1.1.1.3": ["a", "b"]}):
        assert (await desk.refused(role_arn, {**words(role_arn), **more}))[0] == "IDPRejectedClaim"


# Replay


async def test_an_assertion_is_good_for_one_session(desk: SamlDesk) -> None:
    role_arn = await desk.role()
    wanted = desk.wanted(role_arn)
    await given(desk.sts, ASK, None, **wanted)
    code, message = await refusal(desk.sts, ASK, None, **wanted)
    assert code == INVALID
    assert "used before" in message


async def test_an_assertion_is_not_used_up_by_what_is_refused(desk: SamlDesk) -> None:
    role_arn, untrusting = await desk.role(), await desk.role(trust=desk.trust("sts:AssumeRole"))
    wanted = desk.wanted(role_arn, words(role_arn, Role=[f"{one},{PROVIDER_ARN}" for one in (role_arn, untrusting)]))
    assert await refusal(desk.sts, ASK, None, **wanted | {"RoleArn": untrusting}) == DENIED
    assert (await refusal(desk.sts, ASK, None, **wanted | {"DurationSeconds": 7200}))[0] == "ValidationError"
    await given(desk.sts, ASK, None, **wanted)


async def test_of_many_uses_at_the_same_moment_one_succeeds(desk: SamlDesk) -> None:
    wanted = desk.wanted(await desk.role())
    found = await asyncio.gather(*(refusal(desk.sts, ASK, None, **wanted) for _ in range(10)))
    assert sorted(str(code) for code, _ in found) == [INVALID] * 9 + ["None"]


async def test_an_assertion_is_used_once_in_all_accounts_together(desk: SamlDesk) -> None:
    twin = await register(desk.sts, desk.idp, "Twin")
    role_arn = await desk.role()
    second = await desk.role(trust=desk.trust(provider=twin))
    wanted = desk.wanted(role_arn, words(role_arn, Role=[f"{role_arn},{PROVIDER_ARN}", f"{second},{twin}"]))
    await given(desk.sts, ASK, None, **wanted)
    code, _ = await refusal(desk.sts, ASK, None, **wanted | {"RoleArn": second, "PrincipalArn": twin})
    assert code == INVALID


# Encryption


async def test_an_encrypted_assertion_counts_with_a_key_that_was_added(desk: SamlDesk) -> None:
    role_arn = await desk.role()
    secret = Encryption(ENCRYPTION_KEY)
    assert (await desk.refused(role_arn, encryption=secret))[0] == INVALID
    new, old = private_pem(ENCRYPTION_KEY), private_pem(rsa_key(4))
    for pem in (old, new):
        await done(desk.sts, "UpdateSAMLProvider", SAMLProviderArn=PROVIDER_ARN, AddPrivateKey=pem)
    await desk.session(role_arn, encryption=secret)
    await desk.session(role_arn, encryption=Encryption(rsa_key(4)))
    await desk.session(role_arn)
    await done(desk.sts, "UpdateSAMLProvider", SAMLProviderArn=PROVIDER_ARN, AssertionEncryptionMode="Required")
    assert (await desk.refused(role_arn))[0] == INVALID
    shown = await done(desk.sts, "GetSAMLProvider", SAMLProviderArn=PROVIDER_ARN)
    first, second = (key["KeyId"] for key in shown["PrivateKeyList"])
    await done(desk.sts, "UpdateSAMLProvider", SAMLProviderArn=PROVIDER_ARN, RemovePrivateKey=first)
    assert (await desk.refused(role_arn, encryption=Encryption(rsa_key(4))))[0] == INVALID
    await desk.session(role_arn, encryption=secret)
    last = {"SAMLProviderArn": PROVIDER_ARN, "RemovePrivateKey": second}
    assert await iam_refused(desk.sts, "UpdateSAMLProvider", **last) == (
        "InvalidInput",
        "Failed to remove private key.",
    )
    await done(desk.sts, "UpdateSAMLProvider", SAMLProviderArn=PROVIDER_ARN, AssertionEncryptionMode="Allowed")
    await done(desk.sts, "UpdateSAMLProvider", **last)
    await desk.session(role_arn)


def private_pem(key: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


# What the operator allows

RULES = {
    "saml": {
        "accept_aws_names": True,
        "providers": {
            PROVIDER_ARN: {"replay": "aws"},
            f"arn:aws:iam::{ACCOUNT}:saml-provider/Old": {"allow_sha1": True},
            f"arn:aws:iam::{ACCOUNT}:saml-provider/Small": {"allow_small_rsa": True},
        },
    }
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lenient(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SamlDesk]:
    async with saml_desk(tmp_path_factory.mktemp("data"), RULES) as running:
        yield running


async def test_with_replay_as_with_aws_an_assertion_is_good_until_it_expires(lenient: SamlDesk) -> None:
    wanted = lenient.wanted(await lenient.role())
    for _ in range(3):
        await given(lenient.sts, ASK, None, **wanted)
    before = lenient.sts.clock()
    lenient.sts.clock.advance(MAX_AGE + DEFAULT_LEEWAY + 1)
    try:
        assert (await refusal(lenient.sts, ASK, None, **wanted))[0] == "ExpiredTokenException"
    finally:
        lenient.sts.clock.advance(before - lenient.sts.clock())


async def test_an_assertion_that_says_it_is_for_one_use_is_used_once_all_the_same(lenient: SamlDesk) -> None:
    wanted = lenient.wanted(await lenient.role(), conditions="<saml:OneTimeUse/>")
    await given(lenient.sts, ASK, None, **wanted)
    assert (await refusal(lenient.sts, ASK, None, **wanted))[0] == INVALID


@pytest.mark.parametrize("audience", ["https://signin.aws.amazon.com/saml", "urn:amazon:webservices"])
async def test_with_awss_names_a_provider_that_is_set_up_for_aws_works_as_it_is(
    lenient: SamlDesk, audience: str
) -> None:
    consumer = "https://signin.aws.amazon.com/saml"
    trust = lenient.trust(condition={"StringEquals": {"SAML:aud": consumer}})
    role_arn = await lenient.role(trust=trust)
    names: dict[str, Any] = {"audience": audience, "recipient": consumer, "destination": consumer, "sign": "both"}
    assert (await lenient.output(role_arn, **names))["Audience"] == consumer
    shown = await done(lenient.sts, "GetSAMLProvider", SAMLProviderArn=PROVIDER_ARN)
    own = f"{consumer}/acs/{shown['SAMLProviderUUID']}"
    of_own = await lenient.role()
    await lenient.session(of_own, audience=own, recipient=own, destination=own)
    assert (await lenient.refused(of_own, recipient=f"{consumer}/acs/OTHER"))[0] == INVALID
    await lenient.session(of_own)


async def test_weak_signatures_count_for_the_provider_that_was_allowed_them_and_are_reported(
    lenient: SamlDesk, capsys: pytest.CaptureFixture[str]
) -> None:
    weak: dict[str, Any] = {"method": SignatureMethod.RSA_SHA1, "digest": DigestAlgorithm.SHA1}
    small = FakeSamlIdp("urn:small", key=private_key("RSA", 0, 1024))
    arns = {"Office": PROVIDER_ARN}
    for name, idp in (("Old", lenient.idp), ("Small", small)):
        arns[name] = await register(lenient.sts, idp, name)
    roles = {name: await lenient.role(trust=lenient.trust(provider=arn)) for name, arn in arns.items()}

    async def code_of(name: str, **more: Any) -> Any:
        wanted = lenient.wanted(roles[name], words(roles[name], arns[name]), PrincipalArn=arns[name], **more)
        return (await refusal(lenient.sts, ASK, None, **wanted))[0]

    assert [await code_of("Office", **weak), await code_of("Old", **weak)] == [INVALID, None]
    assert [await code_of("Small", idp=small), await code_of("Small", idp=small, **weak)] == [None, INVALID]
    assert AWS not in (said := "".join(capsys.readouterr()))
    assert said.count("weak saml signature accepted") == 2
