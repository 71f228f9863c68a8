# SPDX-License-Identifier: Apache-2.0
"""What action maps ask for, decided under policies as people write them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daypass.gateway.actions.execute_api import ExecuteApiActions
from daypass.gateway.actions.named import NamedActions
from daypass.gateway.asking import AskedOperation, Incoming
from daypass.policy import Context, Kind, Layers, NamedPolicy, Request, compile_policy, decide
from daypass.principal import User
from daypass.sigv4 import RawRequest
from gateway.actions.botocore_requests import ACCOUNT, REGION, arn

ANN = User(ACCOUNT, "/", "ann", "AIDAEXAMPLEEXAMPLE00")


def allowed(asked: AskedOperation, *statements: dict[str, Any]) -> bool:
    """Whether an identity policy of these statements allows all that is needed."""
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    layers = Layers(identity=(NamedPolicy("p", compile_policy(text, Kind.IDENTITY)),))
    decisions = [
        decide(Request(needed.action, needed.resource, ACCOUNT, ANN, Context(dict(needed.keys)), True), layers)
        for needed in asked.needed
    ]
    return all(decision.allowed for decision in decisions)


def get(path: bytes) -> AskedOperation:
    raw = RawRequest("GET", path, b"", ())
    return ExecuteApiActions("prod", "shop").operation(Incoming(raw, [], REGION, ACCOUNT))


def invoke(path: str, effect: str = "Allow") -> dict[str, Any]:
    resource = arn("execute-api", f"shop/prod/GET/{path}")
    return {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}


def test_an_asterisk_in_a_path_is_no_wildcard() -> None:
    assert allowed(get(b"/things/7"), invoke("things/7"))
    assert not allowed(get(b"/things/*"), invoke("things/7"))
    assert not allowed(get(b"/things/%3F"), invoke("things/7"))
    assert not allowed(get(b"/*"), invoke("things/7"))


def test_a_deny_on_a_path_is_not_escaped_by_writing_it_otherwise() -> None:
    rules = (invoke("*"), invoke("admin/*", "Deny"))
    assert allowed(get(b"/things/7"), *rules)
    assert not allowed(get(b"/admin/users"), *rules)
    assert not allowed(get(b"/%61dmin/users"), *rules)


def dynamodb(operation: str, parameters: object) -> AskedOperation:
    headers = (
        (b"content-type", b"application/x-amz-json-1.0"),
        (b"x-amz-target", f"DynamoDB_20120810.{operation}".encode()),
    )
    raw = RawRequest("POST", b"/", b"", headers)
    return NamedActions("dynamodb").operation(Incoming(raw, [], REGION, ACCOUNT, body=json.dumps(parameters).encode()))


def on_things(effect: str, *actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": list(actions), "Resource": arn("dynamodb", "table/things"), **more}


def test_a_batch_is_allowed_only_if_every_table_is() -> None:
    rule = on_things("Allow", "dynamodb:BatchGetItem")
    assert allowed(dynamodb("BatchGetItem", {"RequestItems": {"things": {}}}), rule)
    assert not allowed(dynamodb("BatchGetItem", {"RequestItems": {"things": {}, "secrets": {}}}), rule)


def test_a_query_of_an_index_is_not_allowed_by_its_table_alone() -> None:
    rule = on_things("Allow", "dynamodb:Query")
    assert allowed(dynamodb("Query", {"TableName": "things"}), rule)
    assert not allowed(dynamodb("Query", {"TableName": "things", "IndexName": "i"}), rule)


@pytest.mark.parametrize("operator", ["ForAllValues:StringEquals", "ForAnyValue:StringEquals", "StringEquals"])
@pytest.mark.parametrize("key", ["dynamodb:LeadingKeys", "dynamodb:Attributes"])
def test_what_is_allowed_for_certain_keys_or_attributes_is_not_allowed_when_they_cannot_be_told(
    operator: str, key: str
) -> None:
    rule = on_things("Allow", "dynamodb:GetItem", Condition={operator: {key: ["${aws:username}", "id"]}})
    assert not allowed(dynamodb("GetItem", {"TableName": "things", "Key": {"id": {"S": "ann"}}}), rule)


def test_a_transaction_may_be_told_from_plain_writes() -> None:
    rule = on_things(
        "Allow", "dynamodb:PutItem", Condition={"StringEquals": {"dynamodb:EnclosingOperation": "TransactWriteItems"}}
    )
    item = {"TableName": "things", "Item": {}}
    assert allowed(dynamodb("TransactWriteItems", {"TransactItems": [{"Put": item}]}), rule)
    assert not allowed(dynamodb("PutItem", item), rule)


def test_a_select_by_statement_needs_the_permission_for_statements() -> None:
    select = dynamodb("ExecuteStatement", {"Statement": 'SELECT * FROM "things"'})
    assert allowed(select, on_things("Allow", "dynamodb:PartiQLSelect"))
    assert not allowed(select, on_things("Allow", "dynamodb:ExecuteStatement", "dynamodb:GetItem"))
