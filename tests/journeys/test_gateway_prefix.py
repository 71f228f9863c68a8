# SPDX-License-Identifier: Apache-2.0
"""
The main job, each way through the enforcement door: a federated user of team red reads and lists exactly ``red/*``, by the very
policy of docs/gateway.md, and is denied everything else with AWS's words.
"""

from __future__ import annotations

import json
import textwrap
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from journeys.enforcement import SECRET, WAYS, Enforcement, enforcement
from journeys.roles import document, statement
from journeys.test_ending_sessions import daypass
from real.proxies import PROXIES
from real.s3_clients import BotoClient, RefusedError, StorageClient, can
from real.s3_suite import code_of
from real.s3_wire import exchange, send
from running import Keys

DOCUMENTED = Path(__file__).parent.parent.parent / "docs" / "gateway.md"
LAKE, POND = "lake", "pond"
STORED = {LAKE: ("red/a", "red/b/c", "redder/a", "blue/a", "top"), POND: ("red/a",)}
SENTENCE = 'is not authorized to perform: {} on resource: "{}" because no identity-based policy allows the {} action'


def documented(bucket: str) -> list[Any]:
    """The statements of the policy in docs/gateway.md, for this bucket."""
    text = DOCUMENTED.read_text(encoding="utf-8")
    block = text[text.index('    {\n      "Version"') :].partition("\n\n")[0]
    assert '"arn:aws:s3:::lake/${aws:PrincipalTag/team}/*"' in block
    return list(json.loads(textwrap.dedent(block).replace(":::lake", f":::{bucket}"))["Statement"])


@pytest.fixture(scope="module")
def door(_no_aws_configuration: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enforcement]:
    with enforcement(tmp_path_factory.mktemp("prefix"), "juicefs", "recorded") as running:
        witness = running.witness("juicefs")
        for bucket, keys in STORED.items():
            witness.create_bucket(Bucket=bucket)
            for key in keys:
                witness.put_object(Bucket=bucket, Key=key, Body=key.encode())
        yield running


@pytest.fixture(scope="module")
def red(door: Enforcement) -> Keys:
    """The session that this is about; it may do the same in the bucket of the backend that records."""
    return door.session(document(*documented(LAKE), *documented("recorded")), team="red")


CLIENTS_OF_WAYS = [
    *[("gateway", client) for client in ("boto3", "aws-cli", "rclone", "s3cmd", "node")],
    *[(way, "boto3") for way in PROXIES],
    *[(way, "node") for way in PROXIES],
]


@pytest.mark.parametrize(("way", "client"), CLIENTS_OF_WAYS)
def test_red_reads_what_is_red(door: Enforcement, red: Keys, way: str, client: str) -> None:
    there = door.client(way, "juicefs", client, red)
    assert there.get(LAKE, "red/a") == b"red/a"
    assert there.get(LAKE, "red/b/c") == b"red/b/c"


@pytest.mark.parametrize(("way", "client"), CLIENTS_OF_WAYS)
def test_red_lists_what_is_red(door: Enforcement, red: Keys, way: str, client: str) -> None:
    found = door.client(way, "juicefs", client, red).list(LAKE, "red/")
    assert (found.keys, found.prefixes) == (frozenset({"red/a"}), frozenset({"red/b/"}))


@pytest.mark.parametrize("way", WAYS)
def test_red_reads_by_a_presigned_url(door: Enforcement, red: Keys, way: str) -> None:
    url = door.client(way, "juicefs", "boto3", red).presign_get(LAKE, "red/a")
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.read() == b"red/a"


Attempt = Callable[[StorageClient], object]


def opened(url: str, body: bytes | None = None) -> None:
    """Use a presigned URL."""
    try:
        urllib.request.urlopen(urllib.request.Request(url, body, method="PUT" if body else "GET"), timeout=30).close()
    except urllib.error.HTTPError as error:
        with error:
            text = error.read()
        raise RefusedError(code_of(text), text.decode().replace("&quot;", '"')) from None


def asked(operation: str, **parameters: Any) -> Attempt:
    """An operation that only boto3 has here."""

    def attempt(client: StorageClient) -> None:
        assert isinstance(client, BotoClient)
        try:
            getattr(client.boto, operation)(**parameters)
        except ClientError as error:
            raise RefusedError(str(error.response["Error"]["Code"]), str(error)) from None

    return attempt


OBJECT = "arn:aws:s3:::lake/{}"
DENIED: dict[str, tuple[Attempt, str, str, str]] = {
    "another prefix": (lambda c: c.get(LAKE, "blue/a"), "get", "s3:GetObject", OBJECT.format("blue/a")),
    "a prefix that begins alike": (lambda c: c.get(LAKE, "redder/a"), "get", "s3:GetObject", OBJECT.format("redder/a")),
    "an object beside": (lambda c: c.get(LAKE, "top"), "get", "s3:GetObject", OBJECT.format("top")),
    "a part of another": (
        lambda c: c.get_range(LAKE, "blue/a", 0, 1), "get_range", "s3:GetObject", OBJECT.format("blue/a")),
    "a list of the whole bucket": (lambda c: c.list(LAKE, ""), "list", "s3:ListBucket", "arn:aws:s3:::lake"),
    "a list of what begins alike": (lambda c: c.list(LAKE, "redder/"), "list", "s3:ListBucket", "arn:aws:s3:::lake"),
    "a list of a shorter prefix": (
        asked("list_objects_v2", Bucket=LAKE, Prefix="red"), "", "s3:ListBucket", "arn:aws:s3:::lake"),
    "a list of the old kind": (asked("list_objects", Bucket=LAKE), "", "s3:ListBucket", "arn:aws:s3:::lake"),
    "a list of versions": (
        asked("list_object_versions", Bucket=LAKE, Prefix="red/"), "", "s3:ListBucketVersions", "arn:aws:s3:::lake"),
    "a list of uploads": (
        asked("list_multipart_uploads", Bucket=LAKE), "", "s3:ListBucketMultipartUploads", "arn:aws:s3:::lake"),
    "a list of buckets": (asked("list_buckets"), "", "s3:ListAllMyBuckets", "arn:aws:s3:::*"),
    "another bucket": (lambda c: c.get(POND, "red/a"), "get", "s3:GetObject", "arn:aws:s3:::pond/red/a"),
    "a list of another bucket": (lambda c: c.list(POND, "red/"), "list", "s3:ListBucket", "arn:aws:s3:::pond"),
    "a write": (lambda c: c.put(LAKE, "red/new", b"x"), "put", "s3:PutObject", OBJECT.format("red/new")),
    "an upload in parts": (
        asked("create_multipart_upload", Bucket=LAKE, Key="red/new"), "", "s3:PutObject", OBJECT.format("red/new")),
    "a deletion": (lambda c: c.delete(LAKE, ["red/a"]), "delete", "s3:DeleteObject", OBJECT.format("red/a")),
    "a copy from outside": (
        lambda c: c.copy(LAKE, "blue/a", "red/new"), "copy", "s3:GetObject", OBJECT.format("blue/a")),
    "a copy within": (lambda c: c.copy(LAKE, "red/a", "red/new"), "copy", "s3:PutObject", OBJECT.format("red/new")),
    "its tags": (lambda c: c.get_tags(LAKE, "red/a"), "get_tags", "s3:GetObjectTagging", OBJECT.format("red/a")),
    "its ACL": (asked("get_object_acl", Bucket=LAKE, Key="red/a"), "", "s3:GetObjectAcl", OBJECT.format("red/a")),
    "an old version": (
        asked("get_object", Bucket=LAKE, Key="red/a", VersionId="v1"), "", "s3:GetObjectVersion", OBJECT.format("red/a")),
    "a presigned URL for another": (
        lambda c: opened(c.presign_get(LAKE, "blue/a")), "presign_get", "s3:GetObject", OBJECT.format("blue/a")),
    "a presigned URL for a write": (
        lambda c: opened(c.presign_put(LAKE, "red/new"), b"x"), "presign_put", "s3:PutObject", OBJECT.format("red/new")),
}  # fmt: skip
"""What red may not do: the attempt, what a client must be able to do for it (empty: boto3), the action and resource denied."""

WITH_HEAD = {("aws-cli", "get"): "403", ("aws-cli", "copy"): "403", ("rclone", "*"): "Forbidden"}
"""Clients that ask by HEAD first show its status, for the answer has no body."""

CLI = ("another prefix", "a list of the whole bucket", "a write")
DENIALS = [
    (way, client, name)
    for way, client in CLIENTS_OF_WAYS
    for name, (_, needs, _, _) in DENIED.items()
    if (needs in can(client) if needs else client == "boto3")
    and (client == "boto3" or way == "gateway" or name == "another prefix")
    and (client != "aws-cli" or name in CLI)
]


@pytest.mark.parametrize(("way", "client", "name"), DENIALS)
def test_red_is_denied_everything_else(door: Enforcement, red: Keys, way: str, client: str, name: str) -> None:
    attempt, needs, action, resource = DENIED[name]
    with pytest.raises(RefusedError) as refused:
        attempt(door.client(way, "juicefs", client, red))
    shown = WITH_HEAD.get((client, needs)) or WITH_HEAD.get((client, "*"), "AccessDenied")
    assert refused.value.code == shown
    if shown == "AccessDenied":
        assert SENTENCE.format(action, resource, action) in refused.value.text


@pytest.mark.parametrize("way", WAYS)
def test_a_denial_is_awss_error_with_its_status(door: Enforcement, red: Keys, way: str) -> None:
    answer = send(door.url(way, "juicefs"), red, "PUT", "/lake/red/new", body=b"x" * 100_000)
    assert (answer.status, code_of(answer.body)) == (403, "AccessDenied")
    assert answer.headers["content-type"] == "application/xml"
    assert f"<RequestId>{answer.headers['x-amz-request-id']}</RequestId>".encode() in answer.body
    assert b"<Resource>/lake/red/new</Resource>" in answer.body
    unsigned = exchange(door.url(way, "juicefs"), "GET", "/lake/red/a", {"Host": "127.0.0.1"})
    assert (unsigned.status, code_of(unsigned.body)) == (403, "AccessDenied")
    missing = send(door.url(way, "juicefs"), red, "GET", "/lake/red/../blue/a")
    assert (missing.status, code_of(missing.body)) == (400, "InvalidURI")


def test_a_deletion_of_many_tells_of_each_key(door: Enforcement) -> None:
    policy = document(
        *documented(LAKE),
        statement("Allow", "s3:DeleteObject", resource="arn:aws:s3:::lake/${aws:PrincipalTag/team}/*"),
    )
    client = door.client("gateway", "juicefs", "boto3", door.session(policy, team="green"))
    assert isinstance(client, BotoClient)
    witness = door.witness("juicefs")
    witness.put_object(Bucket=LAKE, Key="green/a", Body=b"x")
    names = ["green/a", "blue/a", "greener/a", "green/b"]
    answer = client.boto.delete_objects(Bucket=LAKE, Delete={"Objects": [{"Key": name} for name in names]})
    assert [(one["Key"], one["Code"]) for one in answer["Errors"]] == [
        ("blue/a", "AccessDenied"),
        ("greener/a", "AccessDenied"),
    ]
    assert (
        SENTENCE.format("s3:DeleteObject", OBJECT.format("blue/a"), "s3:DeleteObject") in answer["Errors"][0]["Message"]
    )
    assert witness.get_object(Bucket=LAKE, Key="blue/a")["Body"].read() == b"blue/a"
    assert "Contents" not in witness.list_objects_v2(Bucket=LAKE, Prefix="green/")


def test_another_team_has_its_own_by_the_same_role(door: Enforcement) -> None:
    blue = door.client("gateway", "juicefs", "boto3", door.session(document(*documented(LAKE)), team="blue"))
    assert blue.get(LAKE, "blue/a") == b"blue/a"
    with pytest.raises(RefusedError, match="AccessDenied"):
        blue.get(LAKE, "red/a")


@pytest.mark.parametrize("team", ["*", "red/*", "r?d", "", "red,blue"])
def test_a_team_that_is_a_pattern_stands_for_itself(door: Enforcement, team: str) -> None:
    """The value of a tag is put where the variable stands, and is no pattern there."""
    if team in ("*", "red/*", "r?d", "red,blue"):
        with pytest.raises(ClientError):  # characters that STS does not take in a tag
            door.session(document(*documented(LAKE)), team=team)
        return
    client = door.client("gateway", "juicefs", "boto3", door.session(document(*documented(LAKE)), team=team))
    with pytest.raises(RefusedError, match="AccessDenied"):
        client.get(LAKE, "red/a")


def test_a_session_that_is_revoked_is_refused_each_way(door: Enforcement) -> None:
    keys = door.session(document(*documented(LAKE)), team="red")
    clients = [door.client(way, "juicefs", "boto3", keys) for way in WAYS]
    assert [client.get(LAKE, "red/a") for client in clients] == [b"red/a"] * len(WAYS)
    daypass(door.server, "sessions", "revoke", "--session", keys.access_key_id)
    for client in clients:
        with pytest.raises(RefusedError) as refused:
            client.get(LAKE, "red/a")
        assert refused.value.code == "InvalidAccessKeyId"


@pytest.mark.parametrize("way", WAYS)
def test_the_backend_never_sees_what_the_client_has_shown(door: Enforcement, red: Keys, way: str) -> None:
    client, recorded = door.client(way, "recorded", "boto3", red), door.recorded
    recorded.reset()
    assert client.get("recorded", "red/a") == b"from the backend"
    url = client.presign_get("recorded", "red/a")
    urllib.request.urlopen(url, timeout=30).close()
    assert len(recorded.seen) == 2
    token = str(red.session_token)
    for seen in recorded.seen:
        everything = " ".join([seen.target, *(f"{name}: {value}" for name, value in seen.headers)])
        assert token[:40] not in everything
        assert red.access_key_id not in everything.replace(f"X-Daypass-Access-Key-Id: {red.access_key_id}", "").replace(
            f"x-daypass-access-key-id: {red.access_key_id}", ""
        )
        assert "Credential=recorded-key/" in str(seen.get("Authorization"))
        assert "X-Amz-Signature" not in seen.target
        assert str(seen.get("X-Daypass-Principal")).startswith("arn:aws:sts::123456789012:assumed-role/")
        assert seen.get("X-Daypass-Session-Name") == "session"


def test_nobody_asks_without_the_secret_of_the_proxies(door: Enforcement) -> None:
    plain = {"Host": "127.0.0.1", "X-Original-Method": "GET", "X-Original-URI": "/recorded/red/a"}
    for shown in ({}, {"X-Daypass-Proxy": "guessed"}, {"X-Daypass-Proxy": f"{SECRET}\r\nX-Daypass-Proxy: {SECRET}"}):
        for path in ("/authz/recorded-nginx", "/authz/recorded-nginx/denied", "/authz/recorded", "/authz/"):
            assert exchange(door.server.url, "GET", path, plain | shown).status == 403
