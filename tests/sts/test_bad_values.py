# SPDX-License-Identifier: Apache-2.0
"""
Every parameter of every operation of STS: its bad values are refused, by the code and in words that name it.

The caller may do everything and the role trusts it, so that nothing else is a reason to refuse; and with good values each
operation answers, so that nothing else was wrong.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from daypass.access.organization import EVERYWHERE
from daypass.credentials import Secret
from daypass.organizations.organization import create_organization
from daypass.store import Membership
from fakes.saml_idp import FakeSamlIdp
from iam.delegating import MASTER, POLICY, message_of
from iam.delegating import made as delegated
from iam.kitchen import document, statement
from iam.people import asked as asked_iam
from iam.people import done, person
from in_process import ACCOUNT, NOW, ROOT, Service
from sts.asking import another_account
from sts.holding import WebDesk, web_desk
from sts.parameters import OFFERED, parameters_of, required_of
from sts.saml_desk import PROVIDER_ARN, SamlDesk, register

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROLE_NAME = "Good"
GOOD_ROLE = f"arn:aws:iam::{ACCOUNT}:role/{ROLE_NAME}"
SAML_ROLE = f"arn:aws:iam::{ACCOUNT}:role/Saml"
WEB_ROLE = f"arn:aws:iam::{ACCOUNT}:role/Web"
MEMBER = "210987654321"
TASK = "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"
TOO_LONG_POLICY = document(statement("Allow", [f"iam:List{number}" for number in range(200)]))


class Bad(NamedTuple):
    """A value that is refused: with which code, and a part of the message."""

    value: Any
    says: str
    code: str = "ValidationError"


def invalid(name: str, *values: Any) -> tuple[Bad, ...]:
    """Values that the model's constraints refuse."""
    return tuple(Bad(value, f"'{name}") for value in values)


ARNS = (
    *invalid("roleArn", "", "arn:aws:iam::1:role", "x" * 2049, f"{GOOD_ROLE}\x07", f"{GOOD_ROLE}\ud7ff\uffff"),
    *(
        Bad(value, "Request ARN is invalid")
        for value in (
            f"arn:aws:iam::{ACCOUNT}:user/Good",
            f"arn:aws:sts::{ACCOUNT}:assumed-role/Good/test",
            "arn:aws:iam::12345678901:role/Good",
            "arn:aws:iam::１２３４５６７８９０１２:role/Good",
            "this is no ARN, not at all",
        )
    ),
)
SESSION_NAMES = invalid("roleSessionName", "", "a", "x" * 65, "a b", "a/b", "a:b", "é2", "ab\n", "a*", "a${x}")
MALFORMED = "MalformedPolicyDocument"
POLICIES = (
    *invalid("policy", "", "\x07", "\u0100{}"),
    Bad("{}", "Syntax errors in policy.", MALFORMED),
    Bad("no JSON", "Syntax errors in policy.", MALFORMED),
    Bad('{"Version":"2012-10-17"}', "Syntax errors in policy.", MALFORMED),
    Bad('{"Version":"2008-10-17","Statement":[]}', "", MALFORMED),
    Bad(document({**statement("Allow", "s3:*"), "Principal": "*"}), "principal", MALFORMED),
    Bad(document(statement("Allow", "s3:*", "arn:aws:s3")), "", MALFORMED),
    Bad(document({**statement("Allow", "s3:*"), "Condition": {"StringIs": {"a": "b"}}}), "", MALFORMED),
)
LONG_POLICY = (Bad(TOO_LONG_POLICY, "2048", "PackedPolicyTooLarge"),)
POLICY_ARNS = (
    *invalid("policyArns.1.member.arn", [{"arn": "short"}], [{"arn": "x" * 2049}]),
    Bad([{"arn": f"arn:aws:iam::{ACCOUNT}:policy/Absent"}], "does not exist or is not attachable"),
    Bad([{"arn": f"arn:aws:iam::{ACCOUNT}:policy/wrong/Path"}], "does not exist or is not attachable"),
    Bad([{"arn": "arn:aws:iam::210987654321:policy/There"}], "does not exist or is not attachable"),
    Bad([{"arn": GOOD_ROLE}], "does not exist or is not attachable"),
    Bad([{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}] * 2, "PolicyArns"),
    Bad([{"arn": f"arn:aws:iam::{ACCOUNT}:policy/P{number}"} for number in range(11)], "PolicyArns"),
)
TAGS = (
    *invalid("tags", [{"Key": f"k{number}", "Value": ""} for number in range(51)]),
    *invalid(
        "tags.1.member.key", [{"Key": "", "Value": ""}], [{"Key": "x" * 129, "Value": ""}], [{"Key": "<", "Value": ""}]
    ),
    *invalid("tags.1.member.value", [{"Key": "k", "Value": "x" * 257}], [{"Key": "k", "Value": "*"}], [{"Key": "k"}]),
    Bad([{"Key": "team", "Value": "1"}, {"Key": "Team", "Value": "2"}], "Duplicate tag keys"),
    Bad([{"Key": "aws:team", "Value": "1"}], "reserved"),
    Bad([{"Key": "AWS:team", "Value": "1"}], "reserved"),
    Bad(
        [{"Key": f"{number:02}{'k' * 120}", "Value": f"{number**40:0250}"[-250:]} for number in range(50)],
        "Packed size of session tags consumes",
        "PackedPolicyTooLarge",
    ),
)
SIZES = invalid("minimumSessionTokenSize", -1, 4097)
NOT_INTEGERS = tuple(Bad(value, "") for value in ("", "1e3", "900.0", "0x384", "９００", " 900", "9" * 30))
ROLE_SECONDS = (*invalid("durationSeconds", 899, 0, -900, 43_201), *NOT_INTEGERS, Bad(3601, "DurationSeconds"))
OWN_SECONDS = (*invalid("durationSeconds", 899, 0, -900, 129_601), *NOT_INTEGERS)
SERIALS = (*invalid("serialNumber", "", "12345678", "x" * 257, "12345 789"), Bad("GAHT12345678", "TokenCode"))
CODES = (*invalid("tokenCode", "", "12345", "1234567", "12345x", "１２３４５６"), Bad("123456", "SerialNumber"))

BAD: Mapping[str, Mapping[str, tuple[Bad, ...]]] = {
    "AssumeRole": {
        "RoleArn": ARNS,
        "RoleSessionName": SESSION_NAMES,
        "PolicyArns": POLICY_ARNS,
        "Policy": (*POLICIES, *LONG_POLICY),
        "DurationSeconds": ROLE_SECONDS,
        "Tags": TAGS,
        "TransitiveTagKeys": (
            *invalid("transitiveTagKeys", [f"k{number}" for number in range(51)]),
            *invalid("transitiveTagKeys", [""], ["x" * 129], ["<"]),
            Bad(["absent"], "transitive tag key"),
            Bad(["team", "TEAM"], "transitive tag key"),
        ),
        "ExternalId": invalid("externalId", "", "a", "x" * 1225, "a b", "é2", "ab\n"),
        "SerialNumber": SERIALS,
        "TokenCode": CODES,
        "SourceIdentity": invalid("sourceIdentity", "", "a", "x" * 65, "a b", "a:b", "é2", "ab\n", "aws:ann"),
        "ProvidedContexts": (
            Bad(
                [{"ProviderArn": "arn:aws:iam::aws:contextProvider/IdentityCenter", "ContextAssertion": "abcd"}],
                "ProvidedContexts",
            ),
            *invalid("providedContexts", [{"ProviderArn": "x" * 20, "ContextAssertion": "abcd"}] * 6),
        ),
        "MinimumSessionTokenSize": SIZES,
    },
    "AssumeRoleWithWebIdentity": {
        "RoleArn": ARNS,
        "RoleSessionName": SESSION_NAMES,
        "WebIdentityToken": (
            Bad("", "'webIdentityToken'"),
            Bad("abc", "'webIdentityToken'"),
            Bad("x" * 20_001, "'webIdentityToken'"),
            Bad("abcd", "", "InvalidIdentityToken"),
            Bad("e30.e30.e30", "", "InvalidIdentityToken"),
        ),
        "ProviderId": (*invalid("providerId", "", "abc", "x" * 2049), Bad("www.amazon.com", "ProviderId")),
        "PolicyArns": POLICY_ARNS,
        "Policy": (*POLICIES, *invalid("policy", TOO_LONG_POLICY)),
        "DurationSeconds": ROLE_SECONDS,
        "MinimumSessionTokenSize": SIZES,
    },
    "AssumeRoleWithSAML": {
        "RoleArn": ARNS,
        "PrincipalArn": (
            *invalid("principalArn", "", "arn:aws:iam::1:saml", "x" * 2049, f"{PROVIDER_ARN}\x07"),
            *(
                Bad(value, "Request ARN is invalid")
                for value in (
                    f"arn:aws:iam::{ACCOUNT}:oidc-provider/Office",
                    f"arn:aws:iam::{ACCOUNT}:saml-provider/",
                    f"arn:aws:sts::{ACCOUNT}:saml-provider/Office",
                    "arn:aws:iam::12345678901:saml-provider/Office",
                    "this is no ARN, not at all",
                )
            ),
            *(
                Bad(value, "Specified provider doesn't exist.", "InvalidIdentityToken")
                for value in (
                    PROVIDER_ARN.lower(),
                    f"{PROVIDER_ARN}/more",
                    PROVIDER_ARN.replace("::", ":us-east-1:"),
                    PROVIDER_ARN.replace(ACCOUNT, MEMBER),
                )
            ),
        ),
        "SAMLAssertion": (
            Bad("", "'sAMLAssertion'"),
            Bad("abc", "'sAMLAssertion'"),
            Bad("x" * 100_001, "'sAMLAssertion'"),
            Bad("ab*d", "Invalid base64 SAMLResponse", "InvalidIdentityToken"),
            Bad("abcd", "", "InvalidIdentityToken"),
            Bad("PHg+PC94Pg==", "", "InvalidIdentityToken"),
        ),
        "PolicyArns": POLICY_ARNS,
        "Policy": (*POLICIES, *invalid("policy", TOO_LONG_POLICY)),
        "DurationSeconds": ROLE_SECONDS,
        "MinimumSessionTokenSize": SIZES,
    },
    "GetSessionToken": {
        "DurationSeconds": OWN_SECONDS,
        "SerialNumber": SERIALS,
        "TokenCode": CODES,
        "MinimumSessionTokenSize": SIZES,
    },
    "GetFederationToken": {
        "Name": invalid("name", "", "a", "x" * 33, "a b", "a/b", "a:b", "é2", "ab\n"),
        "Policy": (*POLICIES, *invalid("policy", TOO_LONG_POLICY)),
        "PolicyArns": POLICY_ARNS,
        "DurationSeconds": OWN_SECONDS,
        "Tags": TAGS,
        "MinimumSessionTokenSize": SIZES,
    },
    "AssumeRoot": {
        "TargetPrincipal": (
            *invalid("targetPrincipal", "", "12345678901", "x" * 2049),
            *(
                Bad(value, "TargetPrincipal")
                for value in (
                    "1234567890123",
                    "１２３４５６７８９０１２",
                    "arn:aws:iam::123456789012:user/root",
                    "arn:aws-cn:iam::123456789012:root",
                    "arn:aws:iam::123456789012:rootroot",
                    "123456789012:root",
                )
            ),
        ),
        "TaskPolicyArn": (
            *invalid("taskPolicyArn.arn", {"arn": "short"}, {"arn": "x" * 2049}),
            *(
                Bad({"arn": policy_arn}, "TaskPolicyArn")
                for policy_arn in (
                    "arn:aws:iam::aws:policy/root-task/Absent",
                    "arn:aws:iam::aws:policy/S3UnlockBucketPolicy",
                    "arn:aws:iam::aws:policy/AdministratorAccess",
                    f"arn:aws:iam::{ACCOUNT}:policy/root-task/S3UnlockBucketPolicy",
                    f"arn:aws:iam::{ACCOUNT}:policy/root-task/Everything",
                )
            ),
        ),
        "DurationSeconds": (*invalid("durationSeconds", -1, 901), *NOT_INTEGERS),
        "MinimumSessionTokenSize": SIZES,
    },
    "GetAccessKeyInfo": {
        "AccessKeyId": (
            *invalid("accessKeyId", "", "AKIAIOSFODNN7EX", "A" * 129, "AKIAIOSFODNN7EXAMPL/"),
            *(
                Bad(value, "access key id")
                for value in ("AKIAIOSFODNN7EXAMPL1", "AKIDIOSFODNN7EXAMPLE", "AKIA7777777777777777")
            ),
        )
    },
    "DecodeAuthorizationMessage": {
        "EncodedMessage": (
            Bad("", "'encodedMessage'"),
            Bad("x" * 10_241, "'encodedMessage'"),
            *(Bad(value, "", "InvalidAuthorizationMessageException") for value in ("a", "é", "AQKAAAAA", "x" * 10_240)),
        )
    },
    "GetDelegatedAccessToken": {
        "TradeInToken": tuple(
            Bad(value, "trade-in token is invalid") for value in ("", "x", "é", "AQOAAAAA", "x" * 20_000)
        ),
    },
    "GetWebIdentityToken": {
        "Audience": (
            *invalid("audience", [str(number) for number in range(11)]),
            *invalid("audience", [""], ["x" * 1001]),
        ),
        "DurationSeconds": (*invalid("durationSeconds", 59, 3601), *NOT_INTEGERS),
        "SigningAlgorithm": (*invalid("signingAlgorithm", "", "RS25", "RS2566"), Bad("HS256", "SigningAlgorithm")),
        "Tags": tuple(bad for bad in TAGS if bad.code == "ValidationError"),
    },
    "GetCallerIdentity": {},
}
CASES = [(operation, name, bad) for operation, of in BAD.items() for name, bads in of.items() for bad in bads]


@dataclass
class Room:
    """Who asks, and with what parameters each operation answers."""

    desk: WebDesk
    user: Credentials
    good: dict[str, dict[str, Any]] = field(default_factory=dict)

    def caller(self, operation: str) -> Credentials | None:
        """Who may ask for the operation."""
        if operation in ("AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"):
            return None
        return ROOT if operation == "AssumeRoot" else self.user

    @property
    def sts(self) -> Service:
        """The service."""
        return self.desk.sts


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    settings = {"public_url": "https://daypass.example.org", "master_key": Secret(MASTER)}
    async with web_desk(tmp_path_factory.mktemp("data"), **settings) as desk:
        user = await person(desk.sts, "asker", statement("Allow", "*"))
        await done(
            desk.sts, "CreatePolicy", PolicyName="Everything", Path="/root-task/", PolicyDocument=TOO_LONG_POLICY
        )
        await create_organization(desk.sts.app.store, now=NOW)
        await another_account(desk.sts, MEMBER)
        async with desk.sts.app.store.transaction() as transaction:
            root_id = next(iter(transaction.view.organizations.of(""))).root_id
            await transaction.put(Membership(MEMBER, "member", root_id, None, EVERYWHERE))
        made = Room(desk, user)
        trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
        given = {"RoleName": ROLE_NAME, "AssumeRolePolicyDocument": document(trust)}
        await done(desk.sts, "CreateRole", **given)
        await done(desk.sts, "CreateRole", RoleName="Web", AssumeRolePolicyDocument=desk.trust())
        office = SamlDesk(desk.sts, FakeSamlIdp())
        await register(desk.sts, office.idp, "Office")
        await done(desk.sts, "CreateRole", RoleName="Saml", AssumeRolePolicyDocument=office.trust())
        denied = await asked_iam(desk.sts, "ListUsers", await person(desk.sts, "denied"))
        await done(desk.sts, "EnableOutboundWebIdentityFederation")
        await done(desk.sts, "CreatePolicy", PolicyName="template", PolicyDocument=POLICY)
        traded = message_of(desk.sts, await delegated(desk.sts, "FINALIZED"))["TradeInToken"]
        made.good = {
            "AssumeRole": {"RoleArn": GOOD_ROLE, "RoleSessionName": "test"},
            "AssumeRoleWithWebIdentity": desk.wanted(WEB_ROLE),
            "AssumeRoleWithSAML": office.wanted(SAML_ROLE),
            "GetFederationToken": {"Name": "bob"},
            "AssumeRoot": {"TargetPrincipal": MEMBER, "TaskPolicyArn": {"arn": TASK}},
            "GetAccessKeyInfo": {"AccessKeyId": str(user.access_key)},
            "DecodeAuthorizationMessage": {"EncodedMessage": denied.encoded},
            "GetDelegatedAccessToken": {"TradeInToken": traded},
            "GetWebIdentityToken": {"Audience": ["api"], "SigningAlgorithm": "ES384"},
        }
        yield made


WITH: Mapping[str, dict[str, Any]] = {"TransitiveTagKeys": {"Tags": [{"Key": "team", "Value": "red"}]}}
"""What a parameter needs beside it, to be good but for its value."""


def wire(name: str, value: Any) -> dict[str, str]:
    """A value as it stands in a form; botocore would not write every bad one."""
    if isinstance(value, list):
        return {
            f"{name}.member.{place}{'.' + inner if inner else ''}": str(text)
            for place, item in enumerate(value, 1)
            for inner, text in (item.items() if isinstance(item, dict) else [("", item)])
        }
    if isinstance(value, dict):
        return {f"{name}.{inner}": text for inner, text in value.items()}
    return {name: str(value)}


def form(parameters: Mapping[str, Any]) -> dict[str, str]:
    return {key: text for name, value in parameters.items() for key, text in wire(name, value).items()}


@pytest.mark.parametrize(
    ("operation", "name", "bad"), CASES, ids=[f"{one[0]}-{one[1]}-{str(one[2].value)[:24]!a}" for one in CASES]
)
async def test_a_bad_value_of_a_parameter_is_refused_by_name(room: Room, operation: str, name: str, bad: Bad) -> None:
    parameters = {**room.good.get(operation, {}), **WITH.get(name, {}), name: bad.value}
    answer = await room.sts.call("sts", operation, room.caller(operation), **form(parameters))
    assert (answer.code, answer.status) == (bad.code, 400)
    assert bad.says in answer.message


@pytest.mark.parametrize("operation", BAD)
async def test_with_good_values_the_operation_answers(room: Room, operation: str) -> None:
    answer = await room.sts.call("sts", operation, room.caller(operation), **form(room.good.get(operation, {})))
    assert answer.status == 200, answer.message


async def test_there_are_bad_values_of_every_parameter_of_every_operation_that_is_offered() -> None:
    assert set(BAD) == set(OFFERED)
    for operation, of in BAD.items():
        assert set(of) == set(parameters_of(operation))
        assert [name for name, bads in of.items() if not bads] == []


@pytest.mark.parametrize("operation", BAD)
async def test_a_parameter_that_the_operation_has_not_is_refused(room: Room, operation: str) -> None:
    good = form(room.good.get(operation, {}))
    for name in ("Verbose", "rolearn", "Tags.member.x.Key", "Policy.member.1", "ProvidedContexts.1"):
        answer = await room.sts.call("sts", operation, room.caller(operation), **good, **{name: "x" * 12})
        assert answer.status == 400
        assert answer.code in ("InvalidQueryParameter", "ValidationError", "MalformedQueryString"), name
        assert name.partition(".")[0] in answer.message


REQUIRED = [(operation, name) for operation in BAD for name in required_of(operation)]


@pytest.mark.parametrize(("operation", "name"), REQUIRED)
async def test_a_parameter_that_is_required_is_asked_for_by_name(room: Room, operation: str, name: str) -> None:
    good = {key: value for key, value in room.good[operation].items() if key != name}
    answer = await room.sts.call("sts", operation, room.caller(operation), **form(good))
    assert (answer.code, answer.status) == ("ValidationError", 400)
    assert f"'{name[0].lower()}{name[1:]}'" in answer.message
