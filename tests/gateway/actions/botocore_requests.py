# SPDX-License-Identifier: Apache-2.0
"""Requests as botocore sends them: its serialiser is the judge of what an action map must read."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HTTPHeaders
from botocore.config import Config
from botocore.model import OperationModel

from daypass.gateway.asking import Incoming
from daypass.sigv4 import RawRequest
from daypass.sigv4.canonical import parse_query

REGION, ACCOUNT = "eu-central-1", "123456789012"
MODELS = {"states": "stepfunctions"}
"""Where botocore's name of a service is not the prefix of its actions."""


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


VALUES: dict[str, dict[str, object]] = {
    "dynamodb": {
        **dict.fromkeys(("TableName", "TargetTableName", "GlobalTableName"), "things"),
        "IndexName": "by-colour",
        "ResourceArn": arn("dynamodb", "table/things"),
        "TableArn": arn("dynamodb", "table/things"),
        "BackupArn": arn("dynamodb", "table/things/backup/01489602797149-73d8d5bc"),
        "ExportArn": arn("dynamodb", "table/things/export/01695353076000-a1e2188f"),
        "ImportArn": arn("dynamodb", "table/things/import/01658528578619-c4d4e311"),
        "StreamArn": arn("dynamodb", "table/things/stream/2026-06-27T00:48:05.899"),
        "Statement": 'SELECT * FROM "things" WHERE id = ?',
        "RequestItems": {"things": {"Keys": [{"id": {"S": "1"}}]}, "parts": {"Keys": [{"id": {"S": "1"}}]}},
        "BatchWriteItem.RequestItems": {"things": [{"DeleteRequest": {"Key": {"id": {"S": "1"}}}}]},
        "TransactWriteItems.TransactItems": [
            {"Put": {"TableName": "things", "Item": {"id": {"S": "1"}}}},
            {"Update": {"TableName": "things", "Key": {"id": {"S": "1"}}, "UpdateExpression": "SET a = :a"}},
            {"Delete": {"TableName": "parts", "Key": {"id": {"S": "1"}}}},
            {"ConditionCheck": {"TableName": "parts", "Key": {"id": {"S": "1"}}, "ConditionExpression": "a"}},
        ],
    },
    "sqs": {
        "QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/jobs",
        "QueueName": "jobs",
        "SourceArn": arn("sqs", "jobs-dead"),
    },
    "sns": {
        "TopicArn": arn("sns", "news"),
        "CreateTopic.Name": "news",
        "ResourceArn": arn("sns", "news"),
        "SubscriptionArn": arn("sns", "news:8a21d249-4329-4871-acc6-7be709c6ea7f"),
        "PlatformApplicationArn": arn("sns", "app/GCM/phones"),
        "EndpointArn": arn("sns", "endpoint/GCM/phones/5e3e9847-3183-3f18-a7e8-671c3a57d4b3"),
    },
    "kinesis": {
        "StreamName": "clicks",
        "StreamARN": arn("kinesis", "stream/clicks"),
        "ConsumerARN": arn("kinesis", "stream/clicks/consumer/reader:1525898737"),
        "ResourceARN": arn("kinesis", "stream/clicks"),
    },
    "secretsmanager": {"SecretId": "prod/db", "Name": "prod/db", "Tags": [{"Key": "team", "Value": "blue"}]},
    "ssm": {
        **{
            f"{name}.Name": "install"
            for name in (
                *("CreateDocument", "DeleteDocument", "DescribeDocument", "DescribeDocumentPermission", "GetDocument"),
                *("ListDocumentVersions", "ModifyDocumentPermission", "UpdateDocument", "UpdateDocumentDefaultVersion"),
            )
        },
        "Name": "/app/password",
        "Names": ["/app/password", "colour"],
        "Path": "/app",
        "ResourceType": "Parameter",
    },
    "kms": {
        **dict.fromkeys(
            ("KeyId", "TargetKeyId", "DestinationKeyId", "SourceKeyId"), "1234abcd-12ab-34cd-56ef-1234567890ab"
        ),
        "AliasName": "alias/app",
    },
    "logs": {
        "logGroupName": "/app/web",
        "logStreamName": "host-1",
        "logGroupIdentifier": "/app/web",
        "resourceArn": arn("logs", "log-group:/app/web"),
    },
    "events": {
        "EventBusName": "orders",
        "CreateEventBus.Name": "orders",
        "DeleteEventBus.Name": "orders",
        "ResourceARN": arn("events", "event-bus/orders"),
        "PutEvents.Entries": [{"Source": "shop", "DetailType": "Order", "Detail": "{}", "EventBusName": "orders"}],
        "Targets": [{"Id": "1", "Arn": arn("sqs", "jobs"), "RoleArn": "arn:aws:iam::123456789012:role/events"}],
    },
    "states": {
        "stateMachineArn": arn("states", "stateMachine:work"),
        "stateMachineAliasArn": arn("states", "stateMachine:work:live"),
        "stateMachineVersionArn": arn("states", "stateMachine:work:3"),
        "executionArn": arn("states", "execution:work:run-1"),
        "mapRunArn": arn("states", "mapRun:work/each:run-1"),
        "activityArn": arn("states", "activity:paint"),
        "resourceArn": arn("states", "stateMachine:work"),
        "roleArn": "arn:aws:iam::123456789012:role/machine",
        "tags": [{"key": "team", "value": "blue"}],
    },
}
"""Values of parameters by service: by operation and parameter, or by parameter."""

ALSO: dict[str, dict[str, dict[str, object]]] = {
    "sns": {"Publish": {"TopicArn": arn("sns", "news")}},
    "sqs": {"StartMessageMoveTask": {"DestinationArn": arn("sqs", "jobs")}},
    "kinesis": {
        **{
            name: {"StreamName": "clicks"}
            for name in (
                *("AddTagsToStream", "RemoveTagsFromStream", "ListTagsForStream", "DeleteStream", "DescribeStream"),
                *("DescribeStreamSummary", "GetShardIterator", "PutRecord", "PutRecords", "MergeShards", "SplitShard"),
                *("IncreaseStreamRetentionPeriod", "DecreaseStreamRetentionPeriod", "ListShards"),
                "UpdateStreamWarmThroughput",
            )
        },
        "GetRecords": {"StreamARN": arn("kinesis", "stream/clicks")},
        "UpdateMaxRecordSize": {"StreamARN": arn("kinesis", "stream/clicks")},
        "DescribeStreamConsumer": {"ConsumerARN": arn("kinesis", "stream/clicks/consumer/reader:1525898737")},
        "DeregisterStreamConsumer": {"ConsumerARN": arn("kinesis", "stream/clicks/consumer/reader:1525898737")},
    },
    "secretsmanager": {
        "BatchGetSecretValue": {"SecretIdList": ["prod/db", "prod/mail"]},
        "ValidateResourcePolicy": {"SecretId": "prod/db"},
    },
    "kms": {
        "Decrypt": {"KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab"},
        "ReEncrypt": {"SourceKeyId": "99999999-12ab-34cd-56ef-1234567890ab"},
        "RetireGrant": {"KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab"},
    },
    "logs": {
        name: {"logGroupName": "/app/web"}
        for name in (
            "DescribeLogStreams",
            "DescribeMetricFilters",
            "FilterLogEvents",
            "GetLogEvents",
            "GetLogGroupFields",
        )
    },
    "states": {"ListExecutions": {"stateMachineArn": arn("states", "stateMachine:work")}},
}
"""Parameters that are not required, and that the operation cannot be told without."""


def client(service: str) -> Any:
    return boto3.client(
        MODELS.get(service, service),  # type: ignore[call-overload]
        region_name=REGION,
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="secret",
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}, inject_host_prefix=False),
    )


def sent(session: Any, operation: str, parameters: dict[str, object]) -> AWSPreparedRequest:
    """What botocore sends for an operation. Nothing is sent."""
    requests: list[AWSPreparedRequest] = []

    def capture(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        requests.append(request)
        answer = AWSResponse(request.url, 418, HTTPHeaders(), None)
        xml = session.meta.service_model.metadata["protocol"] == "query"
        content = b"<ErrorResponse><Error><Code>Teapot</Code></Error></ErrorResponse>" if xml else b"{}"
        answer.__dict__["_content"] = content
        return answer

    session.meta.events.register("before-send", capture)
    try:
        session._make_api_call(operation, parameters)
    except session.exceptions.ClientError:
        pass
    finally:
        session.meta.events.unregister("before-send", capture)
    return requests[0]


def incoming(request: AWSPreparedRequest) -> Incoming:
    """The same request as it is received."""
    url = urlsplit(request.url)
    body: Any = request.body or b""
    headers = [
        (name.lower().encode(), value if isinstance(value, bytes) else str(value).encode())
        for name, value in cast(dict[str, Any], request.headers).items()
    ]
    raw = RawRequest(request.method, url.path.encode() or b"/", url.query.encode(), headers)
    data = body.encode() if isinstance(body, str) else bytes(body)
    return Incoming(raw, parse_query(raw.query), REGION, ACCOUNT, body=data)


def parameters_for(service: str, operation: OperationModel) -> dict[str, object]:
    """The required parameters of an operation, with values that the service would take."""
    made: dict[str, object] = {}
    if operation.input_shape is not None:
        made = _structure(service, operation.name, operation.input_shape)
    return {**made, **ALSO.get(service, {}).get(operation.name, {})}


def _structure(service: str, operation: str, shape: Any) -> dict[str, object]:
    return {name: _value(service, operation, name, shape.members[name]) for name in shape.required_members}


def _value(service: str, operation: str, name: str, shape: Any) -> object:
    known = VALUES.get(service, {})
    for key in (f"{operation}.{name}", name):
        if key in known:
            return known[key]
    match shape.type_name:
        case "structure":
            members = _structure(service, operation, shape)
            return members or {}
        case "list":
            return [_value(service, operation, "", shape.member)]
        case "map":
            return {"key": _value(service, operation, "", shape.value)}
        case "string":
            return shape.enum[0] if shape.enum else "text"
        case "blob":
            return b"bytes"
        case "boolean":
            return True
        case "timestamp":
            return 1_700_000_000
        case _:
            return 1
