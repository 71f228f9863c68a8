# SPDX-License-Identifier: Apache-2.0
"""A record: CloudTrail's fields, whoever asked, and what is never in one."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest

from audit.trails import ACCOUNT, NOW, event
from daypass.audit import Event, Proven, Who, admitted, names_to_record, pack, record_of, recorded_answer
from daypass.audit.admission import ANSWERED, MAX_ELEMENTS, MAX_PARAMETERS, MAX_TEXT, RECORDED
from daypass.audit.event import MAX_DECISION
from daypass.audit.record import MAX_USER_AGENT
from daypass.awsapi.model import Shape, load_service
from daypass.errors import Reason
from daypass.principal import FederatedUser, RoleSession, Root, User

ANN = User(ACCOUNT, "/team/", "ann", "AIDAANN")
DEV = RoleSession(ACCOUNT, "/", "Dev", "AROADEV", "web")
PROVIDER = f"arn:aws:iam::{ACCOUNT}:saml-provider/Office"
PROOFS = frozenset(
    {
        *(
            "WebIdentityToken",
            "SAMLAssertion",
            "TradeInToken",
            "TokenCode",
            "AuthenticationCode1",
            "AuthenticationCode2",
        ),
        *("EncodedMessage", "ContextAssertion", "SAMLMetadataDocument", "CertificateBody", "CertificateChain"),
        *(
            "SSHPublicKeyBody",
            "SessionToken",
            "SecretAccessKey",
            "DecodedMessage",
            "ServicePassword",
            "Base32StringSeed",
        ),
    }
)
"""Proofs, codes, keys and what may hold one: in no record, whether the models call them sensitive or not."""


def read(noted: Event) -> Any:
    """The record, as whoever reads the trail has it."""
    return json.loads(msgspec.json.encode(record_of(noted, "0-0-0-0-0")))


def test_a_record_has_the_fields_of_cloudtrail() -> None:
    record = read(
        event(source_ip="192.0.2.1", user_agent="Boto3", parameters={"roleName": "Dev"}, resources=(DEV.role_arn,))
    )
    assert record == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "Root",
            "principalId": ACCOUNT,
            "arn": f"arn:aws:iam::{ACCOUNT}:root",
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAROOT",
        },
        "eventTime": "2027-01-15T08:00:00Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": "GetRole",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "Boto3",
        "requestParameters": {"roleName": "Dev"},
        "responseElements": None,
        "requestID": f"request-GetRole-{NOW}",
        "eventID": "0-0-0-0-0",
        "readOnly": True,
        "resources": [{"ARN": DEV.role_arn, "accountId": ACCOUNT}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }


def test_a_refusal_has_the_code_what_the_caller_was_told_and_our_reason() -> None:
    record = read(event(who=None, reason=Reason.UNSIGNED_REQUEST, code="MissingAuthenticationToken", message="No."))
    assert (record["errorCode"], record["errorMessage"]) == ("MissingAuthenticationToken", "No.")
    assert record["additionalEventData"] == {"reason": "unsigned-request"}
    assert record["userIdentity"] == {"type": "Unknown"}
    assert "recipientAccountId" not in record


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (Who(ANN, "AKIAANN"), {"type": "IAMUser", "principalId": "AIDAANN", "userName": "ann"}),
        (
            Who(ANN, "ASIAANN", NOW, mfa=True),
            {"sessionContext": {"attributes": {"creationDate": "2027-01-15T08:00:00Z", "mfaAuthenticated": "true"}}},
        ),
        (
            Who(DEV, "ASIADEV", NOW, False, "alice@example.org", PROVIDER, "alice"),
            {
                "type": "AssumedRole",
                "principalId": "AROADEV:web",
                "arn": DEV.arn,
                "sessionContext": {
                    "attributes": {"creationDate": "2027-01-15T08:00:00Z", "mfaAuthenticated": "false"},
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": "AROADEV",
                        "arn": DEV.role_arn,
                        "accountId": ACCOUNT,
                        "userName": "Dev",
                    },
                    "webIdFederationData": {"federatedProvider": PROVIDER, "attributes": {"sub": "alice"}},
                    "sourceIdentity": "alice@example.org",
                },
            },
        ),
        (Who(FederatedUser(ACCOUNT, "bob", ANN), "ASIABOB", NOW), {"type": "FederatedUser"}),
        (Who(FederatedUser(ACCOUNT, "bob", Root(ACCOUNT)), "ASIABOB", NOW), {"type": "FederatedUser"}),
        (
            Proven("SAMLUser", PROVIDER, "qualifier", "alice"),
            {"type": "SAMLUser", "principalId": "qualifier:alice", "userName": "alice", "identityProvider": PROVIDER},
        ),
        (Proven("WebIdentityUser", PROVIDER, "client", "alice"), {"type": "WebIdentityUser"}),
    ],
)
def test_whoever_asked_is_named_as_cloudtrail_does(who: Who | Proven, expected: dict[str, Any]) -> None:
    record = read(event(who=who))
    assert record["userIdentity"] == {**record["userIdentity"], **expected}
    assert record["recipientAccountId"] == ACCOUNT


def test_the_session_of_a_federated_user_is_its_parents() -> None:
    issuer = read(event(who=Who(FederatedUser(ACCOUNT, "bob", ANN), "ASIABOB", NOW)))["userIdentity"]["sessionContext"]
    assert issuer["sessionIssuer"] == {
        "type": "IAMUser",
        "principalId": "AIDAANN",
        "arn": ANN.arn,
        "accountId": ACCOUNT,
        "userName": "ann",
    }


def test_the_callers_before_a_session_are_told() -> None:
    chained = read(event(who=Who(DEV, "ASIADEV", NOW, chain=(ANN.arn,))))
    assert chained["additionalEventData"] == {"chain": [ANN.arn]}


def test_of_a_proof_its_id_is_told_by_digest_with_the_certificate_and_the_exceptions() -> None:
    proven = Proven("SAMLUser", PROVIDER, "qualifier", "alice", "_assertion-1", "ab" * 32, ("sha1", "replay"))
    record = read(event(who=proven))
    assert record["additionalEventData"] == {
        "provider": PROVIDER,
        "assertionIdSha256": hashlib.sha256(b"_assertion-1").hexdigest(),
        "certificateSha256": "ab" * 32,
        "weak": ["sha1", "replay"],
    }
    assert "_assertion-1" not in json.dumps(record)
    of_token = read(event(who=Proven("WebIdentityUser", PROVIDER, "client", "alice", "jti-1")))
    assert of_token["additionalEventData"]["tokenIdSha256"] == hashlib.sha256(b"jti-1").hexdigest()


def test_a_decision_is_in_the_record_packed_or_made_for_it() -> None:
    document = {"allowed": False, "explanation": {"é": "x"}}
    for decision in (pack(document), lambda: document):
        record = read(event(reason=Reason.NOT_AUTHORIZED, code="AccessDenied", decision=decision))
        assert record["additionalEventData"]["decision"] == document


@pytest.mark.parametrize(("size", "kept"), [(MAX_DECISION, True), (MAX_DECISION + 1, False)])
def test_a_decision_that_is_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch, size: int, kept: bool) -> None:
    packed = pack({"allowed": False})
    monkeypatch.setattr("daypass.audit.event.MAX_DECISION", len(packed) + MAX_DECISION - size)
    record = read(event(reason=Reason.NOT_AUTHORIZED, decision=packed))
    expected = {"allowed": False} if kept else {"leftOut": "too long"}
    assert record["additionalEventData"]["decision"] == expected


def test_the_trail_of_a_refused_proof_is_that_of_the_role_it_asked_for() -> None:
    asked = {"roleArn": "arn:aws:iam::210987654321:role/Dev"}
    assert read(event(who=None, parameters=asked))["recipientAccountId"] == "210987654321"
    assert "recipientAccountId" not in read(event(who=None, parameters={"roleArn": "arn:aws:iam::x:role/Dev"}))


def test_data_events_of_services_behind_us_have_their_resources() -> None:
    noted = Event(
        NOW,
        "s3.amazonaws.com",
        "GetObject",
        "r",
        who=Who(ANN, "AKIAANN"),
        management=False,
        data={"backend": "lake"},
        resources=("arn:aws:s3:::lake/key",),
    )
    record = read(noted)
    assert (record["eventCategory"], record["managementEvent"]) == ("Data", False)
    assert record["resources"] == [{"ARN": "arn:aws:s3:::lake/key"}]
    assert record["additionalEventData"] == {"backend": "lake"}


def test_a_user_agent_is_cut() -> None:
    assert len(read(event(user_agent="x" * MAX_USER_AGENT))["userAgent"]) == MAX_USER_AGENT
    assert len(read(event(user_agent="x" * (MAX_USER_AGENT + 1)))["userAgent"]) == MAX_USER_AGENT


# What is let through


def members(shape: Shape | None) -> set[tuple[str, bool]]:
    """The names of all members, however deep, and whether the model calls them sensitive."""
    if shape is None:
        return set()
    inner = [place.shape for place in (shape.element, shape.value) if place is not None]
    found = {(name, member.shape.sensitive) for name, member in shape.members.items()}
    return found.union(*(members(one) for one in (*inner, *(member.shape for member in shape.members.values()))))


OPERATIONS = [operation for name in ("sts", "iam") for operation in load_service(name).operations.values()]


def test_nothing_that_the_models_call_sensitive_is_let_through() -> None:
    sensitive = {
        name
        for operation in OPERATIONS
        for shape in (operation.input_shape, operation.output_shape)
        for name, is_sensitive in members(shape)
        if is_sensitive
    }
    assert len(sensitive) > 10
    assert not (sensitive | PROOFS) & (RECORDED | ANSWERED)


def test_whatever_is_let_through_is_a_member_of_some_operation() -> None:
    taken = {name for operation in OPERATIONS for name, _ in members(operation.input_shape)}
    answered = {name for operation in OPERATIONS for name, _ in members(operation.output_shape)}
    assert sorted(RECORDED - taken) == []
    assert sorted(ANSWERED - answered) == []


def admit(**parameters: Any) -> dict[str, Any] | None:
    return admitted(parameters, names_to_record(parameters))


def test_parameters_have_cloudtrails_spelling() -> None:
    assert admit(RoleArn="arn", DurationSeconds=900, SAMLProviderArn="p", NoSuch="x") == {
        "roleArn": "arn",
        "durationSeconds": 900,
        "sAMLProviderArn": "p",
    }
    assert admit(WebIdentityToken="x") is None


def test_only_members_that_are_named_are_let_through_however_deep() -> None:
    tags = [{"Key": "team", "Value": "red", "TokenCode": "123456"}]
    assert admit(Tags=tags, PolicyArns=[{"arn": "a"}]) == {
        "tags": [{"key": "team", "value": "red"}],
        "policyArns": [{"arn": "a"}],
    }


@pytest.mark.parametrize(("size", "kept"), [(MAX_TEXT, MAX_TEXT), (MAX_TEXT + 1, MAX_TEXT)])
def test_a_long_text_is_cut(size: int, kept: int) -> None:
    assert admit(RoleSessionName="x" * size) == {"roleSessionName": "x" * kept}


def test_a_policy_is_recorded_whole_or_not_at_all() -> None:
    assert admit(PolicyDocument="x" * MAX_TEXT) == {"policyDocument": "x" * MAX_TEXT}
    assert admit(PolicyDocument="x" * (MAX_TEXT + 1)) is None


def test_lists_and_the_whole_are_bounded() -> None:
    found = admit(TagKeys=[str(number) for number in range(MAX_ELEMENTS + 1)])
    assert found is not None
    assert len(found["tagKeys"]) == MAX_ELEMENTS
    long = ["x" * MAX_TEXT] * (MAX_PARAMETERS // MAX_TEXT + 1)
    assert admit(RoleName="Dev", ResourceArns=long) == {"roleName": "Dev"}


def test_an_answer_is_let_through_by_name_with_instants_as_text() -> None:
    answer = {"AccessKey": {"AccessKeyId": "AKIA", "SecretAccessKey": "secret", "CreateDate": NOW}, "Other": 1}
    assert recorded_answer(answer) == {"accessKey": {"accessKeyId": "AKIA", "createDate": "2027-01-15T08:00:00Z"}}
    assert recorded_answer({}) is None
