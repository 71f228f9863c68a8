# SPDX-License-Identifier: Apache-2.0
"""
Services other than S3 behind the gateway, with real clients: an HTTP service as execute-api, DynamoDB and SQS of moto, a
service with a table of actions; and what an operator learns of a request afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from fakes.authz import RecordingBackend
from journeys.enforcement import Enforcement, enforcement
from journeys.gateway import signed
from journeys.roles import ACCOUNT, document, statement
from journeys.test_audit_trail import daypass, record_of, search
from real.proxies import PROXIES
from real.s3_backends import REGION, moto_s3
from real.s3_suite import code_of
from real.s3_wire import WireAnswer, exchange, send
from running import Keys, get, make_client

TABLES = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table"
THINGS = "arn:aws:things:{region}:{account}:thing/{id}"
OF_ALL = f'region: {REGION}, account: "{ACCOUNT}"'
POLICY = document(
    statement("Allow", "execute-api:Invoke", resource=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:shop/prod/GET/api/*"),
    statement("Allow", "dynamodb:*", resource=f"{TABLES}/allowed"),
    statement("Allow", "sqs:*", resource=f"arn:aws:sqs:{REGION}:{ACCOUNT}:mine"),
    statement(
        "Allow", "things:GetThing", resource=f"arn:aws:things:{REGION}:{ACCOUNT}:thing/${{aws:PrincipalTag/team}}"
    ),
    statement("Allow", "s3:GetObject", resource="arn:aws:s3:::recorded/red/*"),
)


@dataclass(frozen=True)
class Stage:
    """The door, the HTTP service behind it, and the session that this is about."""

    door: Enforcement
    service: RecordingBackend
    keys: Keys

    @property
    def url(self) -> str:
        """Where everything is but DynamoDB, which has a host of its own: both are asked at ``/``."""
        return str(self.door.server.announced["gateway"])

    def client(self, service: str) -> Any:
        """boto3."""
        url = self.url.replace("127.0.0.1", "localhost") if service == "dynamodb" else self.url
        return make_client(url, service, self.keys, REGION)

    def call(self, service: str, method: str, path: str, body: bytes = b"") -> WireAnswer:
        """A request that botocore has signed for a service that it does not know."""
        request = AWSRequest(method, self.url + path, headers={"Content-Length": str(len(body))}, data=body)
        pair = Credentials(self.keys.access_key_id, self.keys.secret_access_key, self.keys.session_token)
        SigV4Auth(pair, service, REGION).add_auth(request)
        headers = {"Host": urlsplit(self.url).netloc, **dict(request.headers.items())}
        self.service.reset()
        return exchange(self.url, method, path, headers, body)


@pytest.fixture(scope="module")
def stage(_no_aws_configuration: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("services")
    with moto_s3(folder / "moto") as moto, RecordingBackend() as service:
        for name in ("allowed", "denied"):
            make_table(make_client(moto.url, "dynamodb", moto.keys, REGION), name)
        with enforcement(folder, "recorded", more=entries(folder, moto.url, service.url)) as door:
            yield Stage(door, service, door.session(POLICY, team="red"))


def entries(folder: Path, moto: str, service: str) -> list[str]:
    """The configuration of what stands behind the gateway beside S3."""
    secret = folder / "moto-secret"
    secret.write_text("moto-secret-key", encoding="ascii")
    secret.chmod(0o600)
    signed = f"upstream: {moto}, {OF_ALL}, sign_as: {{access_key_id: moto-key, secret_access_key: {{file: {secret}}}}}"
    rows = ", ".join(
        f'{{method: {method}, path: "/things/{{id}}", action: things:{action}, resource: "{THINGS}"}}'
        for method, action in (("GET", "GetThing"), ("DELETE", "DeleteThing"))
    )
    return [
        f"{{name: shop, service: execute-api, upstream: {service}, {OF_ALL}, match: {{host: 127.0.0.1, path: /api}}}}",
        f"{{name: things, service: things, upstream: {service}, {OF_ALL}, "
        f"match: {{host: 127.0.0.1, path: /things}}, actions: [{rows}]}}",
        f"{{name: queues, service: sqs, match: {{host: 127.0.0.1}}, {signed}}}",
        f"{{name: tables, service: dynamodb, match: {{host: localhost}}, {signed}}}",
    ]


def make_table(dynamodb: Any, name: str) -> None:
    """A table with a key ``id``."""
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def denial(error: ClientError) -> tuple[int, str, str]:
    """Status, code and message, as boto3 reads them."""
    answer: Any = error.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def test_an_http_service_gets_what_is_allowed_and_who_asks(stage: Stage) -> None:
    answer = stage.call("execute-api", "GET", "/api/orders/7?full=1")
    assert (answer.status, answer.body) == (200, b"from the backend")
    [seen] = stage.service.seen
    assert seen.target == "/api/orders/7?full=1"
    assert str(seen.get("X-Daypass-Principal")).startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/")
    assert seen.get("X-Daypass-Request-Id") == answer.headers["x-daypass-request-id"]
    assert (seen.get("Authorization"), seen.get("X-Amz-Security-Token")) == (None, None)


def test_an_http_service_does_not_get_what_is_denied(stage: Stage) -> None:
    answer = stage.call("execute-api", "POST", "/api/orders", b"{}")
    said = json.loads(answer.body)
    assert (answer.status, list(said), stage.service.seen) == (403, ["message"], [])
    assert "is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:" in said["message"]
    assert "shop/prod/POST/api/orders" in said["message"]


def test_an_item_of_the_table_that_is_allowed_is_stored_and_read(stage: Stage) -> None:
    tables = stage.client("dynamodb")
    tables.put_item(TableName="allowed", Item={"id": {"S": "1"}, "color": {"S": "red"}})
    found = tables.get_item(TableName="allowed", Key={"id": {"S": "1"}})
    assert found["Item"]["color"] == {"S": "red"}


def test_another_table_is_denied_in_dynamodbs_form(stage: Stage) -> None:
    tables = stage.client("dynamodb")
    with pytest.raises(ClientError) as refused:
        tables.get_item(TableName="denied", Key={"id": {"S": "1"}})
    status, code, message = denial(refused.value)
    assert (status, code) == (400, "AccessDeniedException")
    assert f"is not authorized to perform: dynamodb:GetItem on resource: {TABLES}/denied" in message


def test_a_batch_with_a_table_that_is_denied_is_denied(stage: Stage) -> None:
    wanted: dict[str, Any] = {name: {"Keys": [{"id": {"S": "1"}}]} for name in ("allowed", "denied")}
    with pytest.raises(ClientError, match="AccessDeniedException"):
        stage.client("dynamodb").batch_get_item(RequestItems=wanted)


def test_a_message_passes_through_the_queue_that_is_allowed_and_no_other(stage: Stage) -> None:
    queues = stage.client("sqs")
    queues.create_queue(QueueName="mine")
    where = f"{stage.url}/{ACCOUNT}/mine"
    queues.send_message(QueueUrl=where, MessageBody="hello")
    assert [one["Body"] for one in queues.receive_message(QueueUrl=where)["Messages"]] == ["hello"]
    with pytest.raises(ClientError) as refused:
        queues.create_queue(QueueName="yours")
    status, _, message = denial(refused.value)
    assert status in (400, 403)
    assert f"sqs:CreateQueue on resource: arn:aws:sqs:{REGION}:{ACCOUNT}:yours" in message.lower().replace(
        "sqs:createqueue", "sqs:CreateQueue"
    )


def test_a_service_with_a_table_of_actions_is_decided_by_it(stage: Stage) -> None:
    assert stage.call("things", "GET", "/things/red").status == 200
    assert stage.service.seen[0].target == "/things/red"
    for method, path in (
        ("GET", "/things/blue"),
        ("DELETE", "/things/red"),
        ("PUT", "/things/red"),
        ("GET", "/things"),
    ):
        assert 400 <= stage.call("things", method, path).status < 500
        assert stage.service.seen == []


def test_why_explains_a_denied_request_by_the_id_that_the_client_was_told(stage: Stage) -> None:
    answer = send(stage.url, stage.keys, "GET", "/recorded/blue/a")
    assert (answer.status, code_of(answer.body)) == (403, "AccessDenied")
    told = answer.headers["x-amz-request-id"]
    assert answer.headers["x-daypass-request-id"] == told
    record = record_of(stage.door.server, told)
    assert (record["eventSource"], record["eventName"], record["errorCode"]) == (
        "s3.amazonaws.com", "GetObject", "AccessDenied",
    )  # fmt: skip
    assert (record["managementEvent"], record["eventCategory"]) == (False, "Data")
    assert record["additionalEventData"]["backend"] == "recorded"
    assert [one["ARN"] for one in record["resources"]] == ["arn:aws:s3:::recorded/blue/a"]
    ran = daypass(stage.door.server, "why", told)
    assert ran.returncode == 0, ran.stderr
    assert "s3:GetObject on arn:aws:s3:::recorded/blue/a" in ran.stdout
    assert "no statement allows it (this decides)" in ran.stdout


FORGED = {"x-forwarded-for": "198.51.100.7", "x-original-address": "198.51.100.7", "x-real-ip": "198.51.100.7"}


def test_why_explains_what_a_proxy_has_asked_about_and_the_trail_has_the_clients_address(stage: Stage) -> None:
    told = {}
    for way in PROXIES:
        url = stage.door.url(way, "recorded")
        token = {"x-amz-security-token": str(stage.keys.session_token)}
        asked = signed(stage.keys, "GET", "/recorded/blue/b", host=urlsplit(url).netloc, headers=token)
        answer = exchange(url, "GET", "/recorded/blue/b", dict(asked.headers) | FORGED)
        assert answer.status == 403
        told[way] = answer.headers["x-amz-request-id"]
    for way, request_id in told.items():
        record = record_of(stage.door.server, request_id)
        assert record["additionalEventData"]["backend"] == f"recorded-{way}"
        assert record["sourceIPAddress"] == "127.0.0.1"
    ran = daypass(stage.door.server, "why", told["nginx"])
    assert "s3:GetObject on arn:aws:s3:::recorded/blue/b" in ran.stdout


def test_an_allowed_request_has_one_id_for_client_backend_and_trail(stage: Stage) -> None:
    stage.door.recorded.reset()
    answer = send(stage.url, stage.keys, "GET", "/recorded/red/a")
    assert answer.status == 200
    told = answer.headers["x-daypass-request-id"]
    assert stage.door.recorded.seen[0].get("X-Daypass-Request-Id") == told
    record = record_of(stage.door.server, told)
    assert record["userIdentity"]["accessKeyId"] == stage.keys.access_key_id
    assert record["additionalEventData"]["bytesTransferredOut"] == len(b"from the backend")
    found = search(stage.door.server, "--user", stage.keys.access_key_id, "--event", "GetObject")
    assert told in [one["requestID"] for one in found]


def test_requests_are_counted_by_backend_operation_and_code(stage: Stage) -> None:
    assert send(stage.url, stage.keys, "GET", "/recorded/red/a").status == 200
    assert send(stage.url, stage.keys, "GET", "/recorded/blue/a").status == 403
    status, body = get(stage.door.server.health.replace("/readyz", "/metrics"))
    assert status == 200
    lines = [line for line in body.decode().splitlines() if line.startswith("daypass_gateway_requests_total{")]
    counted = {
        frozenset(line.partition("{")[2].partition("}")[0].split(",")): float(line.split()[-1]) for line in lines
    }
    for code in ("Success", "AccessDenied"):
        wanted = {'backend="recorded"', 'operation="GetObject"', f'code="{code}"'}
        assert any(wanted <= labels and count >= 1 for labels, count in counted.items()), (code, lines)


@pytest.mark.parametrize(("path", "status"), [("/api/items", 200), ("/api/items?q=x-amz-content-sha256", 200)])
def test_an_http_service_can_be_asked_by_a_presigned_url(stage: Stage, path: str, status: int) -> None:
    request = AWSRequest("GET", stage.url + path)
    pair = Credentials(stage.keys.access_key_id, stage.keys.secret_access_key, stage.keys.session_token)
    SigV4QueryAuth(pair, "execute-api", REGION, expires=60).add_auth(request)
    stage.service.reset()
    target = str(request.url).removeprefix(stage.url)
    answer = exchange(stage.url, "GET", target, {"Host": urlsplit(stage.url).netloc}, b"")
    assert answer.status == status
    (seen,) = stage.service.seen
    assert seen.target == path
