# SPDX-License-Identifier: Apache-2.0
"""Requests that name their operation are read in one way, or refused."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from daypass.errors import ConfigurationError, DaypassError, Reason, RequestError
from daypass.gateway.actions.named import NamedActions
from daypass.gateway.actions.named_request import MAX_BRACKETS
from daypass.gateway.asking import AskedOperation, Incoming
from daypass.sigv4 import RawRequest
from daypass.sigv4.canonical import parse_query
from gateway.actions.botocore_requests import ACCOUNT, REGION, arn

DYNAMODB, SQS, SNS = NamedActions("dynamodb"), NamedActions("sqs"), NamedActions("sns")
JSON_TYPE = (b"content-type", b"application/x-amz-json-1.0")
FORM_TYPE = (b"content-type", b"application/x-www-form-urlencoded")
GET_ITEM = (b"x-amz-target", b"DynamoDB_20120810.GetItem")
QUEUE_URL = f"http://localhost:9324/{ACCOUNT}/jobs"
Header = tuple[bytes, bytes]


def request(
    body: bytes, *headers: Header, method: str = "POST", path: bytes = b"/", query: bytes = b"", account: str = ACCOUNT
) -> Incoming:
    raw = RawRequest(method, path, query, headers)
    return Incoming(raw, parse_query(query), REGION, account, body=body)


def asked_json(actions: NamedActions, target: str, parameters: object) -> AskedOperation:
    body = json.dumps(parameters).encode()
    return actions.operation(request(body, JSON_TYPE, (b"x-amz-target", target.encode())))


def dynamodb(operation: str, parameters: object) -> AskedOperation:
    return asked_json(DYNAMODB, f"DynamoDB_20120810.{operation}", parameters)


def form(actions: NamedActions, path: bytes, parameters: dict[str, str]) -> AskedOperation:
    return actions.operation(request(urlencode(parameters).encode(), FORM_TYPE, path=path))


def sqs_form(parameters: dict[str, str], path: bytes = b"/") -> AskedOperation:
    return form(SQS, path, {"Version": "2012-11-05", **parameters})


def resources(asked: AskedOperation) -> list[str]:
    return [needed.resource for needed in asked.needed]


def reason(actions: NamedActions, incoming: Incoming) -> Reason:
    with pytest.raises(RequestError) as refused:
        actions.operation(incoming)
    return refused.value.reason


BODY = b'{"TableName":"things","Key":{"id":{"S":"1"}}}'
AMBIGUOUS: list[tuple[str, Incoming, Reason]] = [
    ("no target and no action", request(BODY, JSON_TYPE), Reason.MALFORMED_REQUEST),
    ("two targets", request(BODY, JSON_TYPE, GET_ITEM, GET_ITEM), Reason.MALFORMED_REQUEST),
    ("a target and a form", request(b"Action=GetItem", FORM_TYPE, GET_ITEM), Reason.MALFORMED_REQUEST),
    (
        "a target and an action in the query",
        request(BODY, JSON_TYPE, GET_ITEM, query=b"Action=Scan"),
        Reason.MALFORMED_REQUEST,
    ),
    (
        "a target in the query",
        request(BODY, JSON_TYPE, GET_ITEM, query=b"X-Amz-Target=x.Scan"),
        Reason.MALFORMED_REQUEST,
    ),
    ("a target and a form in a JSON type", request(b"Action=GetItem", JSON_TYPE, GET_ITEM), Reason.JSON_MALFORMED),
    ("a target and GET", request(b"", JSON_TYPE, GET_ITEM, method="GET"), Reason.MALFORMED_REQUEST),
    ("a target and another path", request(BODY, JSON_TYPE, GET_ITEM, path=b"/x"), Reason.MALFORMED_REQUEST),
    ("no content type", request(BODY, GET_ITEM), Reason.MALFORMED_REQUEST),
    ("two content types", request(BODY, JSON_TYPE, JSON_TYPE, GET_ITEM), Reason.MALFORMED_REQUEST),
    ("plain JSON", request(BODY, (b"content-type", b"application/json"), GET_ITEM), Reason.MALFORMED_REQUEST),
    (
        "the target of another service",
        request(BODY, JSON_TYPE, (b"x-amz-target", b"AmazonSQS.SendMessage")),
        Reason.UNSUPPORTED_OPERATION,
    ),
    (
        "an operation in another case",
        request(BODY, JSON_TYPE, (b"x-amz-target", b"DynamoDB_20120810.getItem")),
        Reason.UNSUPPORTED_OPERATION,
    ),
    (
        "the operation of the streams under the tables' target",
        request(BODY, JSON_TYPE, (b"x-amz-target", b"DynamoDB_20120810.DescribeStream")),
        Reason.UNSUPPORTED_OPERATION,
    ),
    ("a target without a dot", request(BODY, JSON_TYPE, (b"x-amz-target", b"GetItem")), Reason.MALFORMED_REQUEST),
    (
        "Smithy RPC v2",
        request(BODY, JSON_TYPE, GET_ITEM, (b"smithy-protocol", b"rpc-v2-cbor")),
        Reason.UNSUPPORTED_OPERATION,
    ),
    (
        "a compressed body",
        request(BODY, JSON_TYPE, GET_ITEM, (b"content-encoding", b"gzip")),
        Reason.UNSUPPORTED_OPERATION,
    ),
    (
        "a table twice",
        request(b'{"TableName":"things","TableName":"secrets"}', JSON_TYPE, GET_ITEM),
        Reason.JSON_DUPLICATE_MEMBER,
    ),
    (
        "a table in another case as well",
        request(b'{"TableName":"things","tableName":"secrets"}', JSON_TYPE, GET_ITEM),
        Reason.UNKNOWN_PARAMETER,
    ),
    (
        "a parameter that the model does not have",
        request(b'{"TableName":"things","TableArn":"x"}', JSON_TYPE, GET_ITEM),
        Reason.UNKNOWN_PARAMETER,
    ),
    ("a list", request(b"[]", JSON_TYPE, GET_ITEM), Reason.JSON_MALFORMED),
    ("nothing", request(b"", JSON_TYPE, GET_ITEM), Reason.JSON_MALFORMED),
    ("no table", request(b"{}", JSON_TYPE, GET_ITEM), Reason.INVALID_PARAMETER),
    ("null for a table", request(b'{"TableName":null}', JSON_TYPE, GET_ITEM), Reason.INVALID_PARAMETER),
    (
        "81 brackets deep",
        request(b'{"Key":' + b"[" * 80 + b"]" * 80 + b"}", JSON_TYPE, GET_ITEM),
        Reason.JSON_MALFORMED,
    ),
]


@pytest.mark.parametrize(("incoming", "why"), [case[1:] for case in AMBIGUOUS], ids=[case[0] for case in AMBIGUOUS])
def test_json_with_more_than_one_reading_is_refused(incoming: Incoming, why: Reason) -> None:
    assert reason(DYNAMODB, incoming) is why


def test_json_of_the_depth_that_items_may_have_is_read() -> None:
    body = b'{"TableName":"things","Key":' + b"[" * 79 + b"]" * 79 + b"}"
    assert resources(DYNAMODB.operation(request(body, JSON_TYPE, GET_ITEM))) == [arn("dynamodb", "table/things")]


def test_json_of_as_many_brackets_as_may_be_is_read_and_of_one_more_is_refused() -> None:
    most = b'{"TableName":"things","Key":[' + b",".join([b"[]"] * (MAX_BRACKETS - 2))
    assert DYNAMODB.operation(request(most + b"]}", JSON_TYPE, GET_ITEM)).name == "GetItem"
    assert reason(DYNAMODB, request(most + b",{}]}", JSON_TYPE, GET_ITEM)) is Reason.REQUEST_TOO_LARGE


def test_a_presigned_query_beside_a_target_is_no_second_source() -> None:
    incoming = request(BODY, JSON_TYPE, GET_ITEM, query=b"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00")
    assert DYNAMODB.operation(incoming).name == "GetItem"


NAMES = [
    "other/index/x",
    "*",
    "a:b",
    "",
    "a" * 256,
    "arn:aws:dynamodb:us-east-1:123456789012:table/things",
    "thíngs",
    "a\nb",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_table_whose_name_reaches_beyond_itself_or_whose_arn_is_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(RequestError) as refused:
        dynamodb("GetItem", {"TableName": name})
    assert refused.value.reason is Reason.INVALID_PARAMETER


@pytest.mark.parametrize(
    "resource", ["table/things/index/x", "table/", "table/a/b", "stream/things", "table/things/stream/2026"]
)
def test_the_arn_of_something_else_than_a_table_is_refused_for_a_table(resource: str) -> None:
    with pytest.raises(RequestError) as refused:
        dynamodb("GetItem", {"TableName": arn("dynamodb", resource)})
    assert refused.value.reason is Reason.INVALID_PARAMETER


@pytest.mark.parametrize("account", ["999999999999", ""])
def test_the_arn_of_another_account_is_refused(account: str) -> None:
    with pytest.raises(RequestError) as refused:
        dynamodb("GetItem", {"TableName": f"arn:aws:dynamodb:{REGION}:{account}:table/things"})
    assert refused.value.reason is Reason.INVALID_PARAMETER


def test_a_table_may_be_named_by_its_arn() -> None:
    assert resources(dynamodb("GetItem", {"TableName": arn("dynamodb", "table/things")})) == [
        arn("dynamodb", "table/things")
    ]


def test_a_query_on_an_index_needs_the_index() -> None:
    asked = dynamodb("Query", {"TableName": "things", "IndexName": "by-colour", "Select": "ALL_ATTRIBUTES"})
    assert resources(asked) == [arn("dynamodb", "table/things/index/by-colour")]
    assert asked.needed[0].keys["dynamodb:select"] == "ALL_ATTRIBUTES"


def test_a_key_of_several_values_that_cannot_be_told_has_a_value_that_no_policy_names() -> None:
    keys = dynamodb("GetItem", {"TableName": "things"}).needed[0].keys
    assert keys == {"dynamodb:leadingkeys": ("(not determined)",), "dynamodb:attributes": ("(not determined)",)}


def test_a_batch_needs_every_table() -> None:
    asked = dynamodb("BatchGetItem", {"RequestItems": {"a": {}, "b": {}, "c": {}}})
    assert resources(asked) == [arn("dynamodb", f"table/{name}") for name in "abc"]


def items(count: int) -> dict[str, object]:
    return {"TransactItems": [{"Get": {"TableName": f"t{number}", "Key": {}}} for number in range(count)]}


def test_a_transaction_of_a_hundred_items_is_read_and_one_of_more_is_refused() -> None:
    assert len(dynamodb("TransactGetItems", items(100)).needed) == 100
    with pytest.raises(RequestError) as refused:
        dynamodb("TransactGetItems", items(101))
    assert refused.value.reason is Reason.INVALID_PARAMETER


TRANSACTIONS: list[tuple[object, Reason]] = [
    ([], Reason.INVALID_PARAMETER),
    ([{}], Reason.INVALID_PARAMETER),
    (["x"], Reason.INVALID_PARAMETER),
    ([{"Put": {"TableName": "a"}, "Delete": {"TableName": "b"}}], Reason.INVALID_PARAMETER),
    ([{"put": {"TableName": "a"}}], Reason.UNKNOWN_PARAMETER),
    ([{"Put": {"TableName": "a", "tablename": "b"}}], Reason.UNKNOWN_PARAMETER),
    ([{"Get": {"TableName": "a"}}], Reason.UNKNOWN_PARAMETER),
    ([{"Put": {}}], Reason.INVALID_PARAMETER),
    ([{"Put": "a"}], Reason.INVALID_PARAMETER),
]


@pytest.mark.parametrize(("transaction", "why"), TRANSACTIONS)
def test_a_transaction_that_is_not_plainly_of_tables_is_refused(transaction: object, why: Reason) -> None:
    with pytest.raises(RequestError) as refused:
        dynamodb("TransactWriteItems", {"TransactItems": transaction})
    assert refused.value.reason is why


def test_the_items_of_a_transaction_say_that_they_are_in_one() -> None:
    asked = dynamodb("TransactWriteItems", {"TransactItems": [{"Delete": {"TableName": "a", "Key": {}}}]})
    assert asked.needed[0].action == "dynamodb:DeleteItem"
    assert asked.needed[0].keys["dynamodb:enclosingoperation"] == "TransactWriteItems"
    assert not asked.read_only


def test_tags_of_a_new_table_need_a_permission_of_their_own_and_are_condition_keys() -> None:
    asked = dynamodb("CreateTable", {"TableName": "things", "Tags": [{"Key": "Team", "Value": "blue"}]})
    assert [needed.action for needed in asked.needed] == ["dynamodb:CreateTable", "dynamodb:TagResource"]
    for needed in asked.needed:
        assert (needed.keys["aws:requesttag/team"], needed.keys["aws:tagkeys"]) == ("blue", ("Team",))


@pytest.mark.parametrize(
    "tags",
    [
        [{"Key": "team", "Value": "a"}, {"Key": "Team", "Value": "b"}],
        [{"Key": "team", "Value": 1}],
        [{"Key": "team", "Value": "a", "value": "b"}],
        "team",
        [["team", "a"]],
    ],
)
def test_tags_with_more_than_one_reading_are_refused(tags: object) -> None:
    with pytest.raises(RequestError) as refused:
        dynamodb("CreateTable", {"TableName": "things", "Tags": tags})
    assert refused.value.reason is Reason.INVALID_PARAMETER


@pytest.mark.parametrize("parameter", ["ResourcePolicy", "GlobalTableSourceArn"])
def test_a_parameter_that_asks_for_more_than_can_be_told_is_refused(parameter: str) -> None:
    with pytest.raises(RequestError) as refused:
        dynamodb("CreateTable", {"TableName": "things", parameter: "x"})
    assert refused.value.reason is Reason.UNSUPPORTED_PARAMETER


def test_a_message_in_a_batch_needs_what_a_message_needs() -> None:
    asked = asked_json(SQS, "AmazonSQS.SendMessageBatch", {"QueueUrl": QUEUE_URL, "Entries": []})
    assert [(needed.action, needed.resource) for needed in asked.needed] == [("sqs:SendMessage", arn("sqs", "jobs"))]
    assert asked.name == "SendMessageBatch"


URLS = [
    "http://localhost/999999999999/jobs",
    f"http://localhost/{ACCOUNT}/jobs/more",
    f"http://localhost/{ACCOUNT}/jobs?x=1",
    f"http://localhost/{ACCOUNT}/jobs#x",
    f"http://localhost/{ACCOUNT}/%6Aobs",
    f"http://user@localhost/{ACCOUNT}/jobs",
    f"http://localhost/{ACCOUNT}/../{ACCOUNT}/jobs",
    f"/{ACCOUNT}/jobs",
    "jobs",
    f"http://localhost/{ACCOUNT}/jobs\n",
]


@pytest.mark.parametrize("url", URLS)
def test_a_queue_url_that_is_not_plainly_of_a_queue_of_the_account_is_refused(url: str) -> None:
    with pytest.raises(RequestError) as refused:
        asked_json(SQS, "AmazonSQS.SendMessage", {"QueueUrl": url, "MessageBody": "x"})
    assert refused.value.reason is Reason.INVALID_PARAMETER


def test_a_form_names_the_queue_by_its_url_or_by_its_path_or_by_both_alike() -> None:
    path = f"/{ACCOUNT}/jobs".encode()
    for asked in (
        sqs_form({"Action": "SendMessage", "QueueUrl": QUEUE_URL, "MessageBody": "x"}),
        sqs_form({"Action": "SendMessage", "MessageBody": "x"}, path),
        sqs_form({"Action": "SendMessage", "QueueUrl": QUEUE_URL, "MessageBody": "x"}, path),
    ):
        assert resources(asked) == [arn("sqs", "jobs")]


PATHS = [f"/{ACCOUNT}/secrets", "/999999999999/jobs", f"/{ACCOUNT}/jobs/", "//", f"/{ACCOUNT}/%6Aobs", "/queue/jobs"]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_is_not_plainly_the_queue_of_the_url_is_refused(path: str) -> None:
    with pytest.raises(RequestError) as refused:
        sqs_form({"Action": "SendMessage", "QueueUrl": QUEUE_URL, "MessageBody": "x"}, path.encode())
    assert refused.value.reason is Reason.MALFORMED_REQUEST


def test_a_path_may_not_name_a_queue_for_an_operation_that_has_no_queue_url() -> None:
    with pytest.raises(RequestError) as refused:
        sqs_form({"Action": "CreateQueue", "QueueName": "other"}, f"/{ACCOUNT}/jobs".encode())
    assert refused.value.reason is Reason.MALFORMED_REQUEST


def test_the_names_of_sqs_own_query_protocol_are_known_in_forms_and_no_others() -> None:
    tagged = {"Tag.1.Key": "team", "Tag.1.Value": "blue", "Attribute.1.Name": "DelaySeconds", "Attribute.1.Value": "5"}
    asked = sqs_form({"Action": "CreateQueue", "QueueName": "jobs", **tagged})
    assert [needed.action for needed in asked.needed] == ["sqs:CreateQueue", "sqs:TagQueue"]
    assert asked.needed[0].keys == {"aws:requesttag/team": "blue", "aws:tagkeys": ("team",)}
    with pytest.raises(RequestError) as refused:
        sqs_form({"Action": "SendMessage", "QueueUrl": QUEUE_URL, "MessageBody": "x", "queueUrl": "y"})
    assert refused.value.reason is Reason.UNKNOWN_PARAMETER


def sns_query(query: bytes, body: bytes = b"", method: str = "GET") -> Incoming:
    return request(body, FORM_TYPE, method=method, query=query)


PUBLISH = b"Action=Publish&Version=2010-03-31&Message=x&TopicArn=" + arn("sns", "news").replace(":", "%3A").encode()


def test_a_form_may_be_the_query_of_a_get() -> None:
    asked = SNS.operation(sns_query(PUBLISH + b"&X-Amz-Signature=00"))
    assert (asked.name, resources(asked)) == ("Publish", [arn("sns", "news")])


FORMS: list[tuple[str, Incoming, Reason]] = [
    ("a query and a body", sns_query(PUBLISH, b"Action=ListTopics&Version=2010-03-31"), Reason.MALFORMED_REQUEST),
    ("a query beside a form", sns_query(PUBLISH, b"Action=ListTopics", method="POST"), Reason.MALFORMED_REQUEST),
    ("PUT", sns_query(PUBLISH, method="PUT"), Reason.MALFORMED_REQUEST),
    ("Action twice", sns_query(PUBLISH + b"&Action=ListTopics"), Reason.DUPLICATE_PARAMETER),
    ("no version", sns_query(b"Action=ListTopics"), Reason.UNSUPPORTED_OPERATION),
    ("another version", sns_query(b"Action=ListTopics&Version=2010-03-32"), Reason.UNSUPPORTED_OPERATION),
    ("no action", sns_query(b"Version=2010-03-31"), Reason.MALFORMED_REQUEST),
    ("an unknown action", sns_query(b"Action=Listtopics&Version=2010-03-31"), Reason.UNSUPPORTED_OPERATION),
    ("an unknown parameter", sns_query(PUBLISH + b"&topicArn=x"), Reason.UNKNOWN_PARAMETER),
    ("a topic that is a list", sns_query(PUBLISH + b"&TopicArn.1=x"), Reason.MALFORMED_REQUEST),
    (
        "a phone number",
        sns_query(b"Action=Publish&Version=2010-03-31&Message=x&PhoneNumber=1"),
        Reason.UNSUPPORTED_OPERATION,
    ),
    ("two targets", sns_query(PUBLISH + b"&TargetArn=x"), Reason.UNSUPPORTED_OPERATION),
    (
        "JSON, which SNS does not speak",
        request(b"{}", JSON_TYPE, (b"x-amz-target", b"x.Publish")),
        Reason.UNSUPPORTED_OPERATION,
    ),
    ("nothing", request(b"", FORM_TYPE), Reason.MALFORMED_REQUEST),
    ("a path", request(PUBLISH, FORM_TYPE, path=f"/{ACCOUNT}/jobs".encode()), Reason.MALFORMED_REQUEST),
    (
        "a role in an attribute",
        sns_query(
            b"Action=SetTopicAttributes&Version=2010-03-31&AttributeName=SQSSuccessFeedbackRoleArn&AttributeValue=x&TopicArn="
            + arn("sns", "news").encode()
        ),
        Reason.UNSUPPORTED_PARAMETER,
    ),
]


@pytest.mark.parametrize(("incoming", "why"), [case[1:] for case in FORMS], ids=[case[0] for case in FORMS])
def test_a_form_with_more_than_one_reading_is_refused(incoming: Incoming, why: Reason) -> None:
    assert reason(SNS, incoming) is why


def test_a_role_that_a_new_topic_is_given_in_a_map_is_refused() -> None:
    attributes = {"Attributes.entry.1.key": "HTTPFailureFeedbackRoleArn", "Attributes.entry.1.value": "x"}
    with pytest.raises(RequestError) as refused:
        form(SNS, b"/", {"Action": "CreateTopic", "Version": "2010-03-31", "Name": "news", **attributes})
    assert refused.value.reason is Reason.UNSUPPORTED_PARAMETER


def test_a_body_of_the_limit_is_read_and_a_longer_one_is_refused() -> None:
    limit = SNS.body_limit(sns_query(b""))
    assert limit == 4 * 1024 * 1024
    with pytest.raises(RequestError) as refused:
        SNS.operation(request(b"x" * (limit + 1), FORM_TYPE))
    assert refused.value.reason is Reason.REQUEST_TOO_LARGE


def test_a_body_that_was_not_read_is_our_mistake() -> None:
    incoming = Incoming(RawRequest("POST", b"/", b"", (JSON_TYPE, GET_ITEM)), [], REGION, ACCOUNT)
    with pytest.raises(ValueError, match="not been read"):
        DYNAMODB.operation(incoming)


@pytest.mark.parametrize("service", ["lambda", "ec2", "DynamoDB", "", "s3"])
def test_a_service_that_is_not_mapped_is_refused_when_it_is_configured(service: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        NamedActions(service)
    assert refused.value.reason is Reason.CONFIGURATION_INVALID


def refusal(service: str, target: str, parameters: object) -> Reason:
    with pytest.raises(DaypassError) as refused:
        asked_json(NamedActions(service), target, parameters)
    return refused.value.reason


ELSEWHERE: list[tuple[str, str, object, Reason]] = [
    ("kinesis", "Kinesis_20131202.GetRecords", {"ShardIterator": "x"}, Reason.UNSUPPORTED_OPERATION),
    (
        "kinesis",
        "Kinesis_20131202.PutRecord",
        {"StreamName": "clicks", "StreamARN": arn("kinesis", "stream/other")},
        Reason.INVALID_PARAMETER,
    ),
    ("kinesis", "Kinesis_20131202.PutRecord", {"StreamName": "clicks", "StreamId": "x"}, Reason.UNSUPPORTED_PARAMETER),
    ("kms", "TrentService.Encrypt", {"KeyId": "alias/app"}, Reason.INVALID_PARAMETER),
    ("kms", "TrentService.Decrypt", {"CiphertextBlob": "x"}, Reason.INVALID_PARAMETER),
    ("secretsmanager", "secretsmanager.BatchGetSecretValue", {"Filters": []}, Reason.UNSUPPORTED_PARAMETER),
    ("ssm", "AmazonSSM.GetParameter", {"Name": "a//b"}, Reason.INVALID_PARAMETER),
    ("ssm", "AmazonSSM.GetParametersByPath", {"Path": "app"}, Reason.INVALID_PARAMETER),
    ("logs", "Logs_20140328.PutLogEvents", {"logGroupName": "a", "logStreamName": "b:c"}, Reason.INVALID_PARAMETER),
    (
        "logs",
        "Logs_20140328.GetLogEvents",
        {"logGroupName": "a", "logGroupIdentifier": "b", "logStreamName": "c"},
        Reason.UNSUPPORTED_OPERATION,
    ),
    ("events", "AWSEvents.PutEvents", {"Entries": [], "EndpointId": "x"}, Reason.UNSUPPORTED_PARAMETER),
    ("events", "AWSEvents.PutRule", {"Name": "a", "EventBusName": "b/c"}, Reason.INVALID_PARAMETER),
    ("states", "AWSStepFunctions.TestState", {"definition": "{}", "roleArn": "x"}, Reason.UNSUPPORTED_PARAMETER),
    ("states", "AWSStepFunctions.CreateStateMachine", {"name": "a", "roleArn": "x"}, Reason.INVALID_PARAMETER),
]


@pytest.mark.parametrize(("service", "target", "parameters", "why"), ELSEWHERE)
def test_what_does_not_say_plainly_which_resource_it_means_is_refused(
    service: str, target: str, parameters: object, why: Reason
) -> None:
    assert refusal(service, target, parameters) is why


SECRETS = [
    ("prod/db", "secret:prod/db-??????"),
    (arn("secretsmanager", "secret:prod/db"), "secret:prod/db-??????"),
    (arn("secretsmanager", "secret:prod/db-AbCdE1"), "secret:prod/db-AbCdE1"),
    ("my-secret", "secret:my-secret-??????"),
]


@pytest.mark.parametrize(("said", "resource"), SECRETS)
def test_a_secret_without_its_last_six_characters_is_decided_as_if_they_were_any(said: str, resource: str) -> None:
    asked = asked_json(NamedActions("secretsmanager"), "secretsmanager.GetSecretValue", {"SecretId": said})
    assert resources(asked) == [arn("secretsmanager", resource)]


def test_a_rule_of_another_bus_has_the_bus_in_its_arn() -> None:
    asked = asked_json(
        NamedActions("events"),
        "AWSEvents.DescribeRule",
        {"Name": "night", "EventBusName": arn("events", "event-bus/orders")},
    )
    assert resources(asked) == [arn("events", "rule/orders/night")]


def test_an_encryption_context_is_condition_keys() -> None:
    key = "1234abcd-12ab-34cd-56ef-1234567890ab"
    asked = asked_json(
        NamedActions("kms"), "TrentService.Encrypt", {"KeyId": key, "EncryptionContext": {"Team": "blue"}}
    )
    assert asked.needed[0].keys == {"kms:encryptioncontext:team": "blue", "kms:encryptioncontextkeys": ("Team",)}


def test_a_denial_is_in_the_protocol_of_the_request() -> None:
    target = RawRequest(
        "POST", b"/", b"", ((b"x-amz-target", b"AmazonSQS.SendMessage"), (b"x-amzn-query-mode", b"true"))
    )
    plain = RawRequest("POST", b"/", b"", (FORM_TYPE,))
    assert (SQS.denial_form(target).kind, SQS.denial_form(target).query_errors) == ("json", True)
    assert (SQS.denial_form(plain).kind, SQS.denial_form(plain).denied_code) == ("query", "")
    assert (SNS.denial_form(plain).kind, SNS.denial_form(plain).denied_code) == ("query", "AuthorizationError")
    assert DYNAMODB.denial_form(plain).kind == "json"
    assert NamedActions("kinesis").denial_form(plain).json_version == "1.1"
