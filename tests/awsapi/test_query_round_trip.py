# SPDX-License-Identifier: Apache-2.0
"""
botocore is the judge: what its serializer sends we read, what we answer its parser reads, for every operation.

The values are made from the shapes: once with everything set, and at random.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any, Literal

import botocore.model
import botocore.parsers
import botocore.serialize
import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daypass.awsapi import constraints, query
from daypass.awsapi.form import parse_form
from daypass.awsapi.model import ErrorModel, OperationModel, Shape, load_service
from daypass.errors import Reason, RequestError

SERVICES: tuple[Literal["sts", "iam"], ...] = ("sts", "iam")
REQUEST_ID = "3f1c1d6e-0000-4000-8000-9a0b7c6d5e4f"
SESSION = botocore.session.get_session()
JUDGES: dict[str, Any] = {name: SESSION.get_service_model(name) for name in SERVICES}
SERIALIZER: Any = botocore.serialize.create_serializer("query", include_validation=False)
PARSER: Any = botocore.parsers.create_parser("query")
OPERATIONS = [
    pytest.param(name, operation, id=f"{name}:{operation.name}")
    for name in SERVICES
    for operation in load_service(name).operations.values()
]
ANY_OPERATION = st.sampled_from(
    [(name, operation) for name in SERVICES for operation in load_service(name).operations.values()]
)
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

# Every character of XML 1.0 (section 2.2), which is also every character but NUL that a form can carry and AWS sends.
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffe\uffff").filter(
        lambda mark: mark >= " " or mark in "\t\n\r"
    ),
    max_size=12,
)


def counter() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def everything(shape: Shape, numbers: Iterator[int]) -> Any:
    """A value with every member set, no two alike; its texts need every kind of escaping."""
    match shape.kind:
        case "structure":
            return {name: everything(member.shape, numbers) for name, member in shape.members.items()}
        case "list":
            assert shape.element is not None
            return [everything(shape.element.shape, numbers) for _ in range(2)]
        case "map":
            assert shape.key is not None
            assert shape.value is not None
            return {everything(shape.key.shape, numbers): everything(shape.value.shape, numbers) for _ in range(2)}
        case "string":
            return f" <&]]>\"'é🔑%+=\t\r\n{next(numbers)} "
        case "integer":
            return next(numbers) - 5
        case "boolean":
            return next(numbers) % 2 == 0
        case "timestamp":
            return 1_800_000_000 + next(numbers)
        case "blob":
            return bytes(range(256)) + bytes([next(numbers) % 256])


def anything(shape: Shape, *, empty: bool) -> st.SearchStrategy[Any]:
    """Values of a shape. ``empty``: whether structures and maps may be, which a form cannot say and XML can."""
    match shape.kind:
        case "structure":
            members = {name: anything(member.shape, empty=empty) for name, member in shape.members.items()}
            required = {name: strategy for name, strategy in members.items() if name in shape.required}
            optional = {name: strategy for name, strategy in members.items() if name not in shape.required}
            return st.fixed_dictionaries(required, optional=optional).filter(lambda value: empty or bool(value))
        case "list":
            assert shape.element is not None
            return st.lists(anything(shape.element.shape, empty=empty), max_size=3)
        case "map":
            assert shape.key is not None
            assert shape.value is not None
            keys, values = anything(shape.key.shape, empty=empty), anything(shape.value.shape, empty=empty)
            return st.dictionaries(keys, values, min_size=0 if empty else 1, max_size=3)
        case "string":
            return TEXT
        case "integer":
            return st.integers(-(2**31), 2**31 - 1)
        case "boolean":
            return st.booleans()
        case "timestamp":
            return st.integers(0, 4_000_000_000)
        case "blob":
            return st.binary(max_size=20)


def sent_by_botocore(service: str, operation: str, parameters: dict[str, Any]) -> bytes:
    """The body that a client sends."""
    request = SERIALIZER.serialize_to_request(parameters, JUDGES[service].operation_model(operation))
    body: Any = AWSRequest(method="POST", url="http://127.0.0.1/", data=request["body"]).prepare().body
    return body.encode() if isinstance(body, str) else bytes(body)


def read_by_botocore(service: str, operation: str, data: bytes, status: int = 200) -> dict[str, Any]:
    """What a client reads; dates as seconds since the epoch."""
    shape = JUDGES[service].operation_model(operation).output_shape
    parsed = PARSER.parse({"body": data, "headers": {}, "status_code": status}, shape)
    return {name: as_seconds(value) for name, value in parsed.items()}


def as_seconds(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {name: as_seconds(inner) for name, inner in value.items()}
    return [as_seconds(inner) for inner in value] if isinstance(value, list) else value


def parameters_of(operation: OperationModel) -> Shape:
    return operation.input_shape or Shape("Nothing", "structure")


def result_of(operation: OperationModel) -> Shape:
    return operation.output_shape or Shape("Nothing", "structure")


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_every_parameter_of_every_operation_is_read_as_botocore_sends_it(
    service: str, operation: OperationModel
) -> None:
    parameters = everything(parameters_of(operation), counter())
    form = parse_form(sent_by_botocore(service, operation.name, parameters))
    assert form["Action"] == operation.name
    assert form["Version"] == load_service("sts" if service == "sts" else "iam").api_version
    assert query.parse_input(operation, form) == parameters


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_every_member_of_every_answer_is_read_by_botocore_as_we_wrote_it(
    service: str, operation: OperationModel
) -> None:
    result = everything(result_of(operation), counter())
    parsed = read_by_botocore(service, operation.name, query.serialize_result(operation, result, REQUEST_ID))
    metadata = parsed.pop("ResponseMetadata")
    assert metadata["RequestId"] == REQUEST_ID
    assert parsed == result


@RELAXED
@given(st.data(), ANY_OPERATION)
def test_random_parameters_are_read_as_botocore_sends_them(
    data: st.DataObject, case: tuple[str, OperationModel]
) -> None:
    service, operation = case
    parameters = data.draw(anything(parameters_of(operation), empty=False) if operation.input_shape else st.just({}))
    body = sent_by_botocore(service, operation.name, parameters)
    assert query.parse_input(operation, parse_form(body)) == parameters


@RELAXED
@given(st.data(), ANY_OPERATION, TEXT.filter(bool))
def test_random_answers_are_read_by_botocore_as_we_wrote_them(
    data: st.DataObject, case: tuple[str, OperationModel], request_id: str
) -> None:
    service, operation = case
    result = data.draw(anything(result_of(operation), empty=True))
    parsed = read_by_botocore(service, operation.name, query.serialize_result(operation, result, request_id))
    assert parsed.pop("ResponseMetadata")["RequestId"] == request_id
    assert parsed == result


ERRORS = [
    *((name, error) for name in SERVICES for error in load_service(name).errors.values()),
    *(
        ("sts", ErrorModel(code, code, status, "Sender"))
        for code, status in [("AccessDenied", 403), ("Throttling", 400)]
    ),
    ("iam", ErrorModel("InternalFailure", "InternalFailure", 500, "Receiver")),
]


@pytest.mark.parametrize(("service", "error"), ERRORS, ids=lambda case: getattr(case, "code", case))
def test_every_error_is_read_by_botocore_as_we_wrote_it(service: Literal["sts", "iam"], error: ErrorModel) -> None:
    message = "The role <x> & 'y' cannot be found."
    data = query.serialize_error(
        load_service(service), code=error.code, message=message, fault=error.fault, request_id=REQUEST_ID
    )
    operation = next(iter(load_service(service).operations))
    parsed = read_by_botocore(service, operation, data, error.status)
    assert parsed["Error"] == {"Type": error.fault, "Code": error.code, "Message": message}
    assert parsed["ResponseMetadata"]["RequestId"] == REQUEST_ID


FRAGMENTS = st.lists(
    st.sampled_from(
        ["Tags", "member", "entry", "key", "value", "1", "2", "01", "Key", "PolicyArns", "RoleArn", "x", ""]
    )
    | TEXT,
    min_size=1,
    max_size=6,
).map(".".join)


READ_OR_REFUSED = {
    None,
    Reason.MALFORMED_REQUEST,
    Reason.UNKNOWN_PARAMETER,
    Reason.INVALID_PARAMETER,
    Reason.DUPLICATE_PARAMETER,
}


def refusal(operation: OperationModel, request: dict[str, str] | bytes) -> Reason | None:
    """Why a request is refused; None when it is read and sound. Any other exception is a failure of the test."""
    try:
        form = parse_form(request) if isinstance(request, bytes) else request
        constraints.check(operation, query.parse_input(operation, form))
    except RequestError as error:
        return error.reason
    return None


@RELAXED
@given(ANY_OPERATION, st.data())
def test_random_names_and_texts_are_read_or_refused(case: tuple[str, OperationModel], data: st.DataObject) -> None:
    _, operation = case
    names = st.sampled_from(sorted(parameters_of(operation).members) or ["x"])
    form = data.draw(st.dictionaries(FRAGMENTS | st.tuples(names, FRAGMENTS).map(".".join) | names, TEXT, max_size=5))
    assert refusal(operation, form) in READ_OR_REFUSED


@RELAXED
@given(ANY_OPERATION, st.binary(max_size=300))
def test_random_bytes_are_parameters_or_refused(case: tuple[str, OperationModel], data: bytes) -> None:
    _, operation = case
    assert refusal(operation, data) in READ_OR_REFUSED | {Reason.REQUEST_TOO_LARGE}
