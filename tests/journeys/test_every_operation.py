# SPDX-License-Identifier: Apache-2.0
"""
Every row of the table of operations, whichever there are: a row that is added is covered here at once.

Its parameters are those of its recipe, with names that nobody has (of STS, made up from AWS's service model), so nothing but
the right to ask stands between a request and a handler.
"""

from __future__ import annotations

from typing import Any, cast

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import ListShape, OperationModel, Shape, StringShape, StructureShape

from daypass.access import Caller
from daypass.api import operation_table
from daypass.api.operations import Operation, ProofOperation, SignedOperation
from daypass.iam.service import Iam
from daypass.principal import Root
from daypass.sts import Sts
from iam.recipe import plain
from iam.recipes import RECIPES
from journeys.refusals import refused
from journeys.roles import ACCOUNT, Issuer, allow, document, statement
from running import Server

NOBODY = Caller(Root(ACCOUNT), "AKIA", "us-east-1")
TABLE = operation_table(cast(Sts, None), cast(Iam, None))  # only read; nothing of it is called here
SIGNED = [operation for operation in TABLE.values() if isinstance(operation, SignedOperation)]
PROVEN = [operation for operation in TABLE.values() if isinstance(operation, ProofOperation)]
NOBODY_IS_DENIED = {"sts:GetCallerIdentity"}
ASKS_MORE = {"sts:AssumeRole", "sts:AssumeRoot", "sts:GetSessionToken", "sts:GetFederationToken"}
"""What a session may do only if a role trusts it, or not at all; tested by themselves, in tests/sts."""
OF_STS: dict[str, Any] = {
    "AssumeRole": {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody", "RoleSessionName": "nobody"},
    "AssumeRoot": {
        "TargetPrincipal": "210987654321",
        "TaskPolicyArn": {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"},
    },
    "GetAccessKeyInfo": {"AccessKeyId": "AKIAQNZKJ3EXAMPLE234"},
}
DENIABLE = [operation for operation in SIGNED if operation.action not in NOBODY_IS_DENIED]


def label(operation: Operation) -> str:
    return f"{operation.service}:{operation.name}"


def sample(shape: Shape) -> Any:
    """A value that the model allows, as small as may be."""
    if isinstance(shape, StructureShape):
        return {name: sample(shape.members[name]) for name in shape.required_members}
    if isinstance(shape, ListShape):
        return [sample(shape.member)]
    if isinstance(shape, StringShape):
        return (shape.enum or ["x" * max(1, shape.metadata.get("min", 1))])[0]
    return {"boolean": True, "integer": max(1, shape.metadata.get("min", 1))}[shape.type_name]


def parameters(operation: Operation) -> Any:
    """The required parameters of an operation, and of which user it is."""
    model: OperationModel = (
        botocore.session.get_session().get_service_model(operation.service).operation_model(operation.name)
    )
    if operation.service == "sts":
        made = {} if model.input_shape is None else sample(model.input_shape)
        return {**made, **OF_STS.get(operation.name, {})}
    wanted = {"UserName", *([] if model.input_shape is None else model.input_shape.required_members)}
    given = plain(RECIPES[operation.name].parameters)
    return {name: value for name, value in given.items() if name in wanted}


def call(server: Server, operation: Operation, keys: Any = None) -> Any:
    return getattr(server.client(operation.service, keys), xform_name(operation.name))


def test_the_table_is_what_it_is_thought_to_be() -> None:
    assert len(SIGNED) + len(PROVEN) == len(TABLE) >= 26
    assert all(operation.action == f"{operation.service}:{operation.name}" for operation in TABLE.values())


@pytest.mark.parametrize("operation", SIGNED, ids=label)
def test_an_unsigned_request_is_refused(server: Server, operation: SignedOperation) -> None:
    assert refused(call(server, operation), **parameters(operation)) == ("MissingAuthenticationToken", 403)


@pytest.mark.parametrize("operation", PROVEN, ids=label)
def test_a_request_whose_proof_proves_nothing_is_refused(server: Server, operation: ProofOperation) -> None:
    given = {**parameters(operation), "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"}
    assert refused(call(server, operation), **given) == ("InvalidIdentityToken", 400)


@pytest.fixture(scope="module")
def powerless(issuer: Issuer) -> Any:
    return issuer.session(issuer.role())


@pytest.mark.parametrize("operation", DENIABLE, ids=label)
def test_a_session_without_permissions_is_denied(server: Server, powerless: Any, operation: SignedOperation) -> None:
    assert refused(call(server, operation, powerless), **parameters(operation)) == ("AccessDenied", 403)


@pytest.fixture(scope="module")
def role(issuer: Issuer) -> str:
    return issuer.role(allow("*"))


@pytest.mark.parametrize("operation", [one for one in DENIABLE if one.action not in ASKS_MORE], ids=label)
def test_it_is_this_action_and_no_other_that_decides(
    server: Server, issuer: Issuer, role: str, operation: SignedOperation
) -> None:
    all_but_this = document(statement("Allow", "*"), statement("Deny", operation.action))
    denied = issuer.session(role, Policy=all_but_this)
    assert refused(call(server, operation, denied), **parameters(operation)) == ("AccessDenied", 403)
    also = RECIPES[operation.name].also if operation.service == "iam" else ()
    permitted = issuer.session(role, Policy=allow(operation.action, *also))
    assert outcome(call(server, operation, permitted), parameters(operation)) != "AccessDenied"


def outcome(called: Any, given: Any) -> str:
    """The error code of a call, or OK. What the handler says of made-up parameters is its own matter."""
    try:
        called(**given)
    except called.__self__.exceptions.ClientError as error:
        return str(error.response["Error"]["Code"])
    return "OK"
