# SPDX-License-Identifier: Apache-2.0
"""What the models demand is checked at its exact boundaries, and refused in AWS's own words without telling secrets."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from daypass.awsapi import constraints, limits, patterns, query
from daypass.awsapi.model import OperationModel, ServiceModel, Shape, load_service
from daypass.errors import Reason, RequestError

STS, IAM = load_service("sts").operations, load_service("iam").operations
ROLE = "arn:aws:iam::123456789012:role/Dev"
ASSUME = {"RoleArn": ROLE, "RoleSessionName": "session"}
ARN_PATTERN = r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+"
KEY_PATTERN = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+"

EVERY_KIND: dict[str, Any] = {
    "Text": {"type": "string", "min": 2, "max": 4, "pattern": "[a-z]*"},
    "Choice": {"type": "string", "enum": ["Active", "Inactive"]},
    "Number": {"type": "integer", "min": -1, "max": 1},
    "Bytes": {"type": "blob", "min": 1, "max": 2},
    "Texts": {"type": "list", "min": 1, "max": 2, "member": {"shape": "Text"}},
    "Numbers": {"type": "list", "member": {"shape": "Number"}},
    "Choices": {"type": "list", "member": {"shape": "Choice"}},
    "Structures": {"type": "list", "max": 1, "member": {"shape": "Pair"}},
    "Nested": {"type": "list", "member": {"shape": "Texts"}},
    "Map": {"type": "map", "min": 1, "max": 2, "key": {"shape": "Text"}, "value": {"shape": "Number"}},
    "Either": {"type": "structure", "union": True, "members": {"A": {"shape": "Text"}, "B": {"shape": "Text"}}},
    "Pair": {
        "type": "structure",
        "required": ["Key"],
        "members": {"Key": {"shape": "Text"}, "Flag": {"shape": "Flag"}},
    },
    "Pairs": {"type": "list", "member": {"shape": "Pair"}},
    "PairMap": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Pair"}},
    "Flag": {"type": "boolean"},
    "Time": {"type": "timestamp"},
}


def one_of(kind: str) -> OperationModel:
    """An operation with the one optional parameter P of that shape."""
    return ServiceModel.from_document(
        {
            "metadata": {"endpointPrefix": "x", "apiVersion": "1", "xmlNamespace": "urn:x", "protocols": ["query"]},
            "operations": {"Do": {"name": "Do", "input": {"shape": "In"}}},
            "shapes": {**EVERY_KIND, "In": {"type": "structure", "members": {"P": {"shape": kind}}}},
        }
    ).operations["Do"]


def refused(operation: OperationModel, parameters: dict[str, Any]) -> str:
    """The message of a refusal."""
    with pytest.raises(RequestError) as caught:
        constraints.check(operation, parameters)
    assert caught.value.reason is Reason.INVALID_PARAMETER
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Text", "ab"),
        ("Text", "abcd"),
        ("Choice", "Active"),
        ("Choice", "Inactive"),
        ("Number", -1),
        ("Number", 0),
        ("Number", 1),
        ("Bytes", b"1"),
        ("Bytes", b"12"),
        ("Texts", ["ab"]),
        ("Texts", ["ab", "cd"]),
        ("Numbers", []),
        ("Numbers", [-1, 1]),
        ("Nested", [["ab"], ["ab", "cd"]]),
        ("Map", {"ab": 1}),
        ("Map", {"ab": 1, "cd": -1}),
        ("Either", {"A": "ab"}),
        ("Either", {"B": "ab"}),
        ("Pair", {"Key": "ab"}),
        ("Pair", {"Key": "ab", "Flag": False}),
        ("PairMap", {"ab": {"Key": "ab"}}),
        ("Time", 0.0),
        ("Flag", True),
    ],
    ids=str,
)
def test_a_value_within_its_constraints_is_taken(kind: str, value: Any) -> None:
    constraints.check(one_of(kind), {"P": value})


@pytest.mark.parametrize(
    ("kind", "value", "problems"),
    [
        ("Text", "a", ["Value 'a' at 'p'|Member must have length greater than or equal to 2"]),
        ("Text", "abcde", ["Value 'abcde' at 'p'|Member must have length less than or equal to 4"]),
        ("Text", "aB", ["Value 'aB' at 'p'|Member must satisfy regular expression pattern: [a-z]*"]),
        ("Text", "ab\n", ["Value 'ab\ufffd' at 'p'|Member must satisfy regular expression pattern: [a-z]*"]),
        ("Text", "", ["Value '' at 'p'|Member must have length greater than or equal to 2"]),
        ("Choice", "active", ["Value 'active' at 'p'|Member must satisfy enum value set: [Active, Inactive]"]),
        ("Choice", "", ["Value '' at 'p'|Member must satisfy enum value set: [Active, Inactive]"]),
        ("Number", -2, ["Value '-2' at 'p'|Member must have value greater than or equal to -1"]),
        ("Number", 2, ["Value '2' at 'p'|Member must have value less than or equal to 1"]),
        ("Bytes", b"", ["Value at 'p'|Member must have length greater than or equal to 1"]),
        ("Bytes", b"123", ["Value at 'p'|Member must have length less than or equal to 2"]),
        ("Texts", [], ["Value '[]' at 'p'|Member must have length greater than or equal to 1"]),
        (
            "Texts",
            ["ab", "cd", "ef"],
            ["Value '[ab, cd, ef]' at 'p'|Member must have length less than or equal to 2"],
        ),
        (
            "Texts",
            ["ab", "CD"],
            [
                "Value '[ab, CD]' at 'p'|Member must satisfy constraint: "
                "[Member must have length less than or equal to 4, Member must have length greater than or equal to 2, "
                "Member must satisfy regular expression pattern: [a-z]*, Member must not be null]"
            ],
        ),
        (
            "Numbers",
            [0, 2],
            [
                "Value '[0, 2]' at 'p'|Member must satisfy constraint: "
                "[Member must have value less than or equal to 1, Member must have value greater than or equal to -1, "
                "Member must not be null]"
            ],
        ),
        (
            "Nested",
            [["ab"], []],
            ["Value '[]' at 'p.2.member'|Member must have length greater than or equal to 1"],
        ),
        (
            "Choices",
            ["Active", "On"],
            [
                "Value '[Active, On]' at 'p'|Member must satisfy constraint: [Member must satisfy enum value set: "
                "[Active, Inactive], Member must not be null]"
            ],
        ),
        (
            "Structures",
            [{"Key": "ab"}, {"Key": "a"}],
            [
                "Value at 'p'|Member must have length less than or equal to 1",
                "Value 'a' at 'p.2.member.key'|Member must have length greater than or equal to 2",
            ],
        ),
        ("Map", {}, ["Value at 'p'|Member must have length greater than or equal to 1"]),
        (
            "Map",
            {"ab": 0, "cd": 0, "ef": 0},
            ["Value at 'p'|Member must have length less than or equal to 2"],
        ),
        (
            "Map",
            {"A": 2},
            [
                "Value at 'p'|Map keys must satisfy constraint: "
                "[Member must have length less than or equal to 4, Member must have length greater than or equal to 2, "
                "Member must satisfy regular expression pattern: [a-z]*, Member must not be null]",
                "Value at 'p'|Map value must satisfy constraint: "
                "[Member must have value less than or equal to 1, Member must have value greater than or equal to -1, "
                "Member must not be null]",
            ],
        ),
        ("Either", {}, ["Value at 'p'|Member must have exactly one member set"]),
        ("Either", {"A": "ab", "B": "ab"}, ["Value at 'p'|Member must have exactly one member set"]),
        ("Pair", {}, ["Value null at 'p.key'|Member must not be null"]),
        ("Pairs", [{"Key": "ab"}, {}], ["Value null at 'p.2.member.key'|Member must not be null"]),
        ("PairMap", {"ab": {}}, ["Value null at 'p.ab.member.key'|Member must not be null"]),
    ],
    ids=str,
)
def test_a_value_outside_its_constraints_is_refused_in_awss_words(kind: str, value: Any, problems: list[str]) -> None:
    count = "1 validation error" if len(problems) == 1 else f"{len(problems)} validation errors"
    sentences = [problem.replace("|", " failed to satisfy constraint: ") for problem in problems]
    assert refused(one_of(kind), {"P": value}) == f"{count} detected: {'; '.join(sentences)}"


@pytest.mark.parametrize(
    ("operation", "parameters", "message"),
    [
        (
            IAM["CreateRole"],
            {"RoleName": "a b", "AssumeRolePolicyDocument": "{}"},
            r"1 validation error detected: Value 'a b' at 'roleName' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\w+=,.@-]+",
        ),
        (
            STS["AssumeRole"],
            {"RoleArn": "", "RoleSessionName": "session"},
            f"2 validation errors detected: Value '' at 'roleArn' failed to satisfy constraint: Member must satisfy "
            f"regular expression pattern: {ARN_PATTERN}; Value '' at 'roleArn' failed to satisfy constraint: Member "
            f"must have length greater than or equal to 20",
        ),
        (
            STS["AssumeRole"],
            {"RoleSessionName": "session"},
            "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
        ),
        (
            STS["AssumeRole"],
            {**ASSUME, "DurationSeconds": 43201},
            "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member "
            "must have value less than or equal to 43200",
        ),
        (
            STS["AssumeRole"],
            {**ASSUME, "DurationSeconds": 899},
            "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member "
            "must have value greater than or equal to 900",
        ),
        (
            STS["AssumeRole"],
            {**ASSUME, "Tags": [{"Key": "a", "Value": "b"}, {"Key": "a#b", "Value": ""}]},
            f"1 validation error detected: Value 'a#b' at 'tags.2.member.key' failed to satisfy constraint: Member "
            f"must satisfy regular expression pattern: {KEY_PATTERN}",
        ),
        (
            IAM["UntagRole"],
            {"RoleName": "Dev", "TagKeys": ["team", ""]},
            f"1 validation error detected: Value '[team, ]' at 'tagKeys' failed to satisfy constraint: Member must "
            f"satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater "
            f"than or equal to 1, Member must satisfy regular expression pattern: {KEY_PATTERN}, Member must not be null]",
        ),
        (
            IAM["UpdateAccessKey"],
            {"AccessKeyId": "AKIA" + "A" * 16, "Status": "On"},
            "1 validation error detected: Value 'On' at 'status' failed to satisfy constraint: Member must satisfy "
            "enum value set: [Active, Inactive, Expired]",
        ),
        (
            STS["AssumeRoleWithSAML"],
            {"RoleArn": ROLE, "PrincipalArn": ROLE},
            "1 validation error detected: Value null at 'sAMLAssertion' failed to satisfy constraint: Member must not "
            "be null",
        ),
    ],
    ids=lambda case: getattr(case, "name", ""),
)
def test_a_refusal_is_awss_sentence(operation: OperationModel, parameters: dict[str, Any], message: str) -> None:
    assert refused(operation, parameters) == message


@pytest.mark.parametrize(("length", "taken"), [(1, False), (2, True), (64, True), (65, False)])
def test_a_session_name_has_two_to_sixty_four_characters(length: int, taken: bool) -> None:
    parameters = {**ASSUME, "RoleSessionName": "s" * length}
    if taken:
        constraints.check(STS["AssumeRole"], parameters)
    else:
        assert "roleSessionName" in refused(STS["AssumeRole"], parameters)


@pytest.mark.parametrize(("seconds", "taken"), [(899, False), (900, True), (43200, True), (43201, False)])
def test_a_duration_has_nine_hundred_to_forty_three_thousand_two_hundred_seconds(seconds: int, taken: bool) -> None:
    parameters = {**ASSUME, "DurationSeconds": seconds}
    if taken:
        constraints.check(STS["AssumeRole"], parameters)
    else:
        assert "durationSeconds" in refused(STS["AssumeRole"], parameters)


SECRET = "hunter2"
TOO_LONG = SECRET * 20_000


@pytest.mark.parametrize(
    ("operation", "name", "value"),
    [
        ("AssumeRoleWithWebIdentity", "WebIdentityToken", TOO_LONG),
        ("AssumeRoleWithWebIdentity", "Policy", TOO_LONG),
        ("AssumeRoleWithSAML", "SAMLAssertion", TOO_LONG),
        ("AssumeRole", "ExternalId", SECRET + "\n"),
        ("AssumeRole", "TokenCode", SECRET),
        ("AssumeRole", "Policy", SECRET + "\u0100"),
        ("DecodeAuthorizationMessage", "EncodedMessage", TOO_LONG),
        ("CreateLoginProfile", "Password", TOO_LONG),
        ("ChangePassword", "OldPassword", TOO_LONG),
        ("EnableMFADevice", "AuthenticationCode1", SECRET),
        ("CreateRole", "AssumeRolePolicyDocument", TOO_LONG),
        ("PutRolePolicy", "PolicyDocument", TOO_LONG),
        ("UploadServerCertificate", "PrivateKey", TOO_LONG),
        ("UpdateSAMLProvider", "AddPrivateKey", TOO_LONG),
        ("SimulateCustomPolicy", "PolicyInputList", [TOO_LONG]),
    ],
)
def test_a_secret_or_a_document_is_not_quoted(operation: str, name: str, value: Any) -> None:
    model = STS.get(operation) or IAM[operation]
    message = refused(model, {name: value})
    assert f"Value at '{name[0].lower()}{name[1:]}' failed to satisfy constraint" in message
    assert SECRET not in message


def shapes_within(shape: Shape) -> list[Shape]:
    """A shape and all shapes in it."""
    places = [*shape.members.values(), shape.element, shape.key, shape.value]
    return [shape, *(inner for place in places if place is not None for inner in shapes_within(place.shape))]


SHAPES = {
    shape.name: shape
    for operation in (*STS.values(), *IAM.values())
    if operation.input_shape is not None
    for shape in shapes_within(operation.input_shape)
}


def test_every_shape_whose_name_speaks_of_a_secret_or_a_document_is_hidden() -> None:
    telling = re.compile(
        "token|secret|password|privateKey$|assertion|code|document|message|certificateBody|chain", re.I
    )
    harmless = {"requestMessageType", "webIdentityTokenAudienceStringType"}
    spoken = {
        name
        for name, shape in SHAPES.items()
        if shape.kind == "string" and not shape.enum and not shape.sensitive and telling.search(name)
    }
    assert spoken - harmless - constraints.HIDDEN == set()


def test_every_hidden_shape_is_in_a_model() -> None:
    assert constraints.HIDDEN - SHAPES.keys() == set()


def test_a_long_value_is_shortened() -> None:
    message = refused(STS["AssumeRole"], {**ASSUME, "RoleSessionName": "s" * 100_000})
    assert f"Value '{'s' * limits.MAX_QUOTED_VALUE}...' at 'roleSessionName'" in message


def test_control_characters_do_not_reach_the_message() -> None:
    message = refused(STS["AssumeRole"], {**ASSUME, "RoleSessionName": "a\r\n\x1b[31mb"})
    assert message.isprintable()


def test_no_more_than_ten_errors_are_listed_however_many_there_are() -> None:
    tags = [{"Key": "#", "Value": "#"}] * 100_000
    started = time.process_time()
    message = refused(STS["AssumeRole"], {**ASSUME, "Tags": tags})
    assert time.process_time() - started < 1
    assert message.startswith("10 validation errors detected: ")
    assert message.count("failed to satisfy constraint") == limits.MAX_PROBLEMS


SAMPLES = [
    *("a" * length for length in (1, 4, 5, 16, 24, 34, 36, 40, 64)),
    *("A" * length for length in (16, 24)),
    ROLE,
    "/",
    "123456",
    "123456789012",
    "v1",
    "o-abcdefghij",
    "p-abcdefgh",
    "o-abcdefghij/r-abcd/ou-1",
    "https://idp.example.org",
    "https://idp.example.org/" + "a" * 1000,
    "a" * 1000,
]


def sound(shape: Shape) -> Any:
    """A value that satisfies a shape, with every member set; of a union the first."""
    match shape.kind:
        case "structure":
            names = list(shape.members)[: 1 if shape.union else None]
            return {name: sound(shape.members[name].shape) for name in names}
        case "list":
            assert shape.element is not None
            return [sound(shape.element.shape)] * max(1, shape.minimum or 0)
        case "map":
            assert shape.key is not None
            assert shape.value is not None
            return {sound(shape.key.shape): sound(shape.value.shape)}
        case "string":
            pattern = re.compile(".*", re.S) if shape.pattern is None else patterns.compiled(shape.pattern)
            lengths = range(shape.minimum or 0, (shape.maximum or 10**9) + 1)
            return next(text for text in shape.enum or SAMPLES if len(text) in lengths and pattern.fullmatch(text))
        case "integer":
            return shape.minimum or 1
        case "boolean":
            return True
        case kind:
            raise AssertionError(f"no input has a {kind}")


@pytest.mark.parametrize("operation", [*STS.values(), *IAM.values()], ids=lambda operation: operation.name)
def test_every_operation_takes_sound_parameters_and_misses_each_required_one(operation: OperationModel) -> None:
    shape = operation.input_shape
    parameters = sound(shape) if shape is not None else {}
    constraints.check(operation, parameters)
    for name in shape.required if shape is not None else ():
        rest = {other: value for other, value in parameters.items() if other != name}
        assert f"Value null at '{name[0].lower()}{name[1:]}' failed" in refused(operation, rest)


def test_what_the_parser_reads_the_check_takes() -> None:
    form = {"RoleArn": ROLE, "RoleSessionName": "session", "Tags.member.1.Key": "équipe", "Tags.member.1.Value": ""}
    constraints.check(STS["AssumeRole"], query.parse_input(STS["AssumeRole"], form))
