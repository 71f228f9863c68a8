# SPDX-License-Identifier: Apache-2.0
"""Every operation of the model, as botocore writes it, is that operation again: botocore is the judge."""

from __future__ import annotations

import pytest

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.s3.permissions import NOT_BEHIND_A_GATEWAY, ROWS, SAME_REQUEST
from daypass.gateway.actions.s3.reading import read
from daypass.gateway.actions.s3.routes import load_routes, make_table
from gateway.actions.s3.requests import ACTIONS, BUCKET, KEY, incoming, model, sample, written

OPERATIONS = sorted(model().operation_names)
STYLES = ("path", "virtual")


def test_every_operation_of_the_model_is_permitted_by_a_row_or_refused_by_name_and_none_is_both() -> None:
    tables = [set(ROWS), set(SAME_REQUEST), set(NOT_BEHIND_A_GATEWAY.why)]
    assert set(OPERATIONS) == set().union(*tables)
    assert len(OPERATIONS) == sum(map(len, tables))


@pytest.mark.parametrize("whole", [False, True], ids=["required", "every-member"])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in NOT_BEHIND_A_GATEWAY.why])
def test_an_operation_that_botocore_writes_is_read_as_that_operation(name: str, style: str, whole: bool) -> None:
    operation = model().operation_model(name)
    request = written(name, sample(operation, whole=whole), style)
    limit = ACTIONS.body_limit(request)
    assert limit is None or len(request.body or b"") <= limit
    found = ACTIONS.operation(request)
    assert found.name == SAME_REQUEST.get(name, name)
    reading = read(request, load_routes(), empty_segments=False)
    members = operation.input_shape.members if operation.input_shape else {}
    assert reading.bucket == (BUCKET if "Bucket" in members else "")
    assert reading.key == (KEY if "Key" in members else "")
    assert found.owner_arn == (f"arn:aws:s3:::{BUCKET}" if "Bucket" in members else "")
    assert found.needed or found.each


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", sorted(set(NOT_BEHIND_A_GATEWAY.why) - {"WriteGetObjectResponse"}))
def test_an_operation_that_makes_no_sense_here_is_refused_by_name(name: str, style: str) -> None:
    request = written(name, sample(model().operation_model(name), whole=True), style)
    assert ACTIONS.body_limit(request) is None
    with pytest.raises(RequestError) as refused:
        ACTIONS.operation(request)
    assert refused.value.reason is Reason.UNSUPPORTED_OPERATION
    assert name in str(refused.value)


def test_write_get_object_response_is_refused_by_name() -> None:
    request = incoming(
        "POST", "/WriteGetObjectResponse", headers={"x-amz-request-route": "r", "x-amz-request-token": "t"}
    )
    with pytest.raises(RequestError, match="WriteGetObjectResponse") as refused:
        ACTIONS.operation(request)
    assert refused.value.reason is Reason.UNSUPPORTED_OPERATION


def test_a_model_with_two_operations_that_make_the_same_request_is_not_taken() -> None:
    http = {"method": "GET", "requestUri": "/{Bucket}?acl"}
    document = {"shapes": {}, "operations": {"GetAcl": {"http": http}, "GetOther": {"http": http}}}
    with pytest.raises(ValueError, match="GetOther and GetAcl make the same request"):
        make_table(document)
