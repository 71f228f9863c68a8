# SPDX-License-Identifier: Apache-2.0
"""Form names become parameters; what the model does not have, or could be read in two ways, is refused."""

from __future__ import annotations

import time
from typing import Any

import botocore.model
import botocore.serialize
import pytest

from daypass.awsapi import limits, query
from daypass.awsapi.model import ServiceModel, load_service
from daypass.errors import Reason, RequestError

ASSUME_ROLE = load_service("sts").operations["AssumeRole"]
CREATE_ROLE = load_service("iam").operations["CreateRole"]
ACQUIRE_ROLE = load_service("iam").operations["AcquireRole"]
CALLER = load_service("sts").operations["GetCallerIdentity"]

# What the query protocol has and the two services do not use: flattened lists and maps, names of the wire, input blobs
# and times. botocore's serializer judges it as it judges the rest.
UNUSUAL: dict[str, Any] = {
    "metadata": {
        "endpointPrefix": "unusual",
        "apiVersion": "2000-01-01",
        "xmlNamespace": "urn:unusual",
        "protocol": "query",
        "protocols": ["query"],
        "serviceId": "Unusual",
        "serviceFullName": "Unusual",
        "signatureVersion": "v4",
    },
    "operations": {"Do": {"name": "Do", "http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "In"}}},
    "shapes": {
        "In": {
            "type": "structure",
            "members": {
                "Flat": {"shape": "FlatList"},
                "FlatNamed": {"shape": "FlatNamedList"},
                "Named": {"shape": "NamedList"},
                "FlatMap": {"shape": "FlatMap"},
                "NamedMap": {"shape": "NamedMap"},
                "Renamed": {"shape": "Text", "locationName": "wireName"},
                "Blob": {"shape": "Blob"},
                "Time": {"shape": "Time"},
                "Count": {"shape": "Count"},
                "Inner": {"shape": "Inner"},
            },
        },
        "Inner": {"type": "structure", "members": {"Times": {"shape": "Times"}, "Count": {"shape": "Count"}}},
        "Times": {"type": "list", "member": {"shape": "Time"}},
        "FlatList": {"type": "list", "member": {"shape": "Text"}, "flattened": True},
        "FlatNamedList": {"type": "list", "member": {"shape": "Text", "locationName": "Item"}, "flattened": True},
        "NamedList": {"type": "list", "member": {"shape": "Text", "locationName": "item"}},
        "FlatMap": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}, "flattened": True},
        "NamedMap": {
            "type": "map",
            "key": {"shape": "Text", "locationName": "Name"},
            "value": {"shape": "Count", "locationName": "Number"},
        },
        "Text": {"type": "string"},
        "Blob": {"type": "blob"},
        "Time": {"type": "timestamp"},
        "Count": {"type": "integer"},
    },
}
DO = ServiceModel.from_document(UNUSUAL).operations["Do"]


def sent(parameters: dict[str, Any]) -> dict[str, str]:
    """The form that botocore makes of parameters of the unusual operation."""
    judge: Any = botocore.serialize.create_serializer("query", include_validation=False)
    operation = botocore.model.ServiceModel(UNUSUAL, "unusual").operation_model("Do")
    body: dict[str, Any] = judge.serialize_to_request(parameters, operation)["body"]
    return {name: str(value) for name, value in body.items()}


def refusal(operation: Any, form: dict[str, str]) -> Reason:
    with pytest.raises(RequestError) as caught:
        query.parse_input(operation, form)
    return caught.value.reason


@pytest.mark.parametrize(
    "parameters",
    [
        {"Flat": ["a", "b"]},
        {"FlatNamed": ["a", "b"]},
        {"Named": ["a", "b"]},
        {"Flat": [], "Named": []},
        {"FlatMap": {"a": "b", "c": "d"}},
        {"NamedMap": {"a": 1, "c": 2}},
        {"Renamed": "x"},
        {"Blob": b"\x00\xff\xfe"},
        {"Blob": b""},
        {"Inner": {"Count": -1}},
    ],
)
def test_what_the_services_do_not_use_is_read_as_botocore_sends_it(parameters: dict[str, Any]) -> None:
    assert query.parse_input(DO, sent(parameters)) == parameters


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("2026-01-31T12:00:00Z", 1769860800.0),
        ("2026-01-31T12:00:00.25Z", 1769860800.25),
        ("2026-01-31T14:00:00+02:00", 1769860800.0),
    ],
)
def test_a_time_is_read(text: str, instant: float) -> None:
    assert query.parse_input(DO, {"Time": text}) == {"Time": instant}
    assert query.parse_input(DO, {"Inner.Times.member.1": text}) == {"Inner": {"Times": [instant]}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1769860800",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-02-31T12:00:00Z",
        "2026-01-31T24:30:00Z",
        "2026-01-31T12:00:00+99:99",
        "２026-01-31T12:00:00Z",
        "2026-01-31T12:00:00Z\n",
    ],
)
def test_a_text_that_is_not_a_time_is_refused(text: str) -> None:
    assert refusal(DO, {"Time": text}) is Reason.INVALID_PARAMETER


@pytest.mark.parametrize("text", ["0", "1", "900", "-1", "2147483647", "-2147483648"])
def test_an_integer_is_read(text: str) -> None:
    assert query.parse_input(ASSUME_ROLE, {"DurationSeconds": text}) == {"DurationSeconds": int(text)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-0",
        "+1",
        "01",
        "1.0",
        "1e3",
        " 1",
        "1 ",
        "1\n",
        "1_000",
        "0x10",
        "٣",
        "2147483648",
        "-2147483649",
        "9" * 5000,
    ],
)
def test_a_text_that_is_not_an_integer_of_32_bits_is_refused(text: str) -> None:
    assert refusal(ASSUME_ROLE, {"DurationSeconds": text}) is Reason.INVALID_PARAMETER
    assert refusal(DO, {"Inner.Count": text}) is Reason.INVALID_PARAMETER


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
def test_a_boolean_is_read(text: str, value: bool) -> None:
    operation = load_service("iam").operations["CreatePolicyVersion"]
    assert query.parse_input(operation, {"SetAsDefault": text}) == {"SetAsDefault": value}


@pytest.mark.parametrize("text", ["", "True", "FALSE", "1", "0", "yes", " true"])
def test_a_text_that_is_not_a_boolean_is_refused(text: str) -> None:
    operation = load_service("iam").operations["CreatePolicyVersion"]
    assert refusal(operation, {"SetAsDefault": text}) is Reason.INVALID_PARAMETER


@pytest.mark.parametrize("text", ["=", "a", "YQ", "YQ=", "YR==", "Y Q==", "YQ==\n", "_w==", "é"])
def test_a_text_that_is_not_strict_base64_is_refused(text: str) -> None:
    assert refusal(DO, {"Blob": text}) is Reason.INVALID_PARAMETER


def test_action_and_version_are_passed_over() -> None:
    assert query.parse_input(CALLER, {"Action": "GetCallerIdentity", "Version": "2011-06-15"}) == {}


def test_list_elements_come_in_the_order_of_their_numbers_not_of_sending() -> None:
    form = {f"TransitiveTagKeys.member.{number}": str(number) for number in (10, 2, 1, 9, 3, 8, 4, 7, 5, 6)}
    expected = [str(number) for number in range(1, 11)]
    assert query.parse_input(ASSUME_ROLE, form) == {"TransitiveTagKeys": expected}


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "roleArn",
        "RoleArn ",
        "RoleArn.x",
        "RoleArn.member.1",
        "Action.x",
        "Tags.1.Key",
        "Tags.Member.1.Key",
        "Tags.member.1.key",
        "Tags.member.1.Key.x",
        "Tags.member.1.Color",
        "Tags.entry.1.Key",
        "Tags.",
        ".Tags",
        "AWSAccessKeyId",
        "X-Amz-Signature",
    ],
)
def test_an_unknown_name_is_refused(name: str) -> None:
    assert refusal(ASSUME_ROLE, {name: "1"}) is Reason.UNKNOWN_PARAMETER


def test_any_parameter_of_an_operation_without_parameters_is_unknown() -> None:
    assert refusal(CALLER, {"Action": "GetCallerIdentity", "RoleArn": "x"}) is Reason.UNKNOWN_PARAMETER


@pytest.mark.parametrize("name", ["Flat.member.1", "FlatNamed.1", "Named.member.1", "Renamed", "NamedMap.entry.1.key"])
def test_the_models_name_is_unknown_where_the_wire_has_another(name: str) -> None:
    assert refusal(DO, {name: "1"}) in {Reason.UNKNOWN_PARAMETER, Reason.MALFORMED_REQUEST}


@pytest.mark.parametrize(
    "numbers",
    [
        ["0"],
        ["2"],
        ["01"],
        ["1", "3"],
        ["1", "01"],
        ["-1"],
        ["+1"],
        ["1.5"],
        [""],
        ["a"],
        ["999999999"],
        ["１"],
        ["1 "],
    ],
)
def test_elements_not_numbered_one_two_three_are_refused(numbers: list[str]) -> None:
    form = {f"TransitiveTagKeys.member.{number}": "a" for number in numbers}
    assert refusal(ASSUME_ROLE, form) in {Reason.MALFORMED_REQUEST, Reason.UNKNOWN_PARAMETER}


@pytest.mark.parametrize(
    "form",
    [
        {"Tags": "x"},
        {"Tags.member": "x"},
        {"Tags.member": ""},
        {"Tags.member.1": "x"},
        {"Tags": "", "Tags.member.1.Key": "a"},
        {"Tags.member.1.Key": "a", "Tags": ""},
        {"Tags.member.1": "", "Tags.member.1.Key": "a"},
        {"Tags.member.1.Key": "a", "Tags.member.1": "a"},
    ],
    ids=str,
)
def test_a_text_in_the_place_of_a_structure_or_list_is_refused(form: dict[str, str]) -> None:
    assert refusal(ASSUME_ROLE, form) is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"NamedMap.entry.1.Name": "a"}, Reason.MALFORMED_REQUEST),
        ({"NamedMap.entry.1.Number": "1"}, Reason.MALFORMED_REQUEST),
        ({"NamedMap.entry.1": "1"}, Reason.MALFORMED_REQUEST),
        ({"NamedMap": "1"}, Reason.MALFORMED_REQUEST),
        ({"NamedMap.entry.2.Name": "a", "NamedMap.entry.2.Number": "1"}, Reason.MALFORMED_REQUEST),
        ({"NamedMap.1.Name": "a", "NamedMap.1.Number": "1"}, Reason.UNKNOWN_PARAMETER),
        ({"NamedMap.entry.1.Name": "a", "NamedMap.entry.1.Number": "x"}, Reason.INVALID_PARAMETER),
        (
            {f"NamedMap.entry.{index}.{part}": "1" for index in (1, 2) for part in ("Name", "Number")},
            Reason.DUPLICATE_PARAMETER,
        ),
    ],
    ids=str,
)
def test_a_map_without_a_key_or_value_or_with_a_key_twice_is_refused(form: dict[str, str], reason: Reason) -> None:
    assert refusal(DO, form) is reason


def test_a_map_of_structures_is_read() -> None:
    prefix = "ReplacementValues.entry.1"
    form = {f"{prefix}.key": "team", f"{prefix}.value.Values.member.1": "a"}
    assert query.parse_input(ACQUIRE_ROLE, form) == {"ReplacementValues": {"team": {"Values": ["a"]}}}


@pytest.mark.parametrize(
    "name",
    [
        "Tags" + ".member.1" * 100_000,
        "Tags." * 1_000_000 + "Key",
        "Tags.member." + "1" * 1_000_000,
        "Tags.member." + "9" * 4000 + ".Key",
        "T" * 1_000_000,
        "." * 1_000_000,
    ],
    ids=["deep", "deeper", "long number", "huge number", "long", "dots"],
)
def test_a_hostile_name_is_refused_quickly_and_not_quoted(name: str) -> None:
    started = time.process_time()
    with pytest.raises(RequestError) as caught:
        query.parse_input(ASSUME_ROLE, {name: "1"})
    assert time.process_time() - started < 0.5
    assert len(str(caught.value)) < 300


def test_no_name_that_a_model_allows_is_too_deep() -> None:
    def depth(shape: Any) -> int:
        inner = [depth(member.shape) + 1 for member in shape.members.values()]
        inner += [depth(place.shape) + 2 for place in (shape.element, shape.key, shape.value) if place is not None]
        return max(inner, default=0)

    operations = [*load_service("sts").operations.values(), *load_service("iam").operations.values()]
    assert max(depth(one.input_shape) for one in operations if one.input_shape) <= limits.MAX_NAME_SEGMENTS


def test_many_elements_are_read_quickly() -> None:
    form = {f"TransitiveTagKeys.member.{number}": "a" for number in range(1, limits.MAX_PARAMETERS + 1)}
    started = time.process_time()
    assert query.parse_input(ASSUME_ROLE, form) == {"TransitiveTagKeys": ["a"] * limits.MAX_PARAMETERS}
    assert time.process_time() - started < 0.5


def test_a_message_names_the_parameter_and_not_its_text() -> None:
    with pytest.raises(RequestError) as caught:
        query.parse_input(ASSUME_ROLE, {"DurationSeconds": "hunter2"})
    assert "DurationSeconds" in str(caught.value)
    assert "hunter2" not in str(caught.value)
