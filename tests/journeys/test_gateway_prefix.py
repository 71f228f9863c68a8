# SPDX-License-Identifier: Apache-2.0
"""
The main job, each way through the enforcement door: a federated user of team red reads and lists exactly ``red/*``, by the very
policy of docs/gateway.md, and is denied everything else with AWS's words.
"""

from __future__ import annotations

import configparser
import functools
import json
import textwrap
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from journeys.enforcement import SECRET, WAYS, Enforcement, enforcement
from journeys.gateway import signed
from journeys.roles import allow, document, statement
from journeys.test_ending_sessions import daypass
from real.needed import WHOLE_MATRIX
from real.proxies import PROXIES
from real.s3_clients import BotoClient, RefusedError, StorageClient, can
from real.s3_suite import code_of
from real.s3_wire import WireAnswer, exchange, send
from running import Keys

DOCUMENTED = Path(__file__).parent.parent.parent / "docs" / "gateway.md"
LAKE, POND = "lake", "pond"
STORED = {LAKE: ("red/a", "red/b/c", "redder/a", "blue/a", "top"), POND: ("red/a",)}


def sentence(action: str, resource: str) -> str:
    """What AWS says."""
    on = f' on resource: "{resource}"' if resource else ""
    return f"is not authorized to perform: {action}{on} because no identity-based policy allows the {action} action"


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
    *[(way, "node") for way in PROXIES if WHOLE_MATRIX],
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
    "a list of buckets": (asked("list_buckets"), "", "s3:ListAllMyBuckets", ""),
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

SHOWN = {
    "boto3": {"AccessDenied"},
    "node": {"AccessDenied"},
    "aws-cli": {"AccessDenied", "403"},
    "rclone": {"AccessDenied", "Forbidden"},
    "s3cmd": {"AccessDenied", "Forbidden", "?"},
}
"""How a client shows it: those that ask by HEAD first tell its status, for the answer has no body; s3cmd has many ways."""

BEHIND_PROXIES = {"a copy within": ("s3:GetObjectTagging", OBJECT.format("red/a"))}
"""What is denied first there: a proxy cannot be told to copy without tags, so that permission for them is always needed."""

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
    attempt, _, action, resource = DENIED[name]
    with pytest.raises(RefusedError) as refused:
        attempt(door.client(way, "juicefs", client, red))
    assert refused.value.code in SHOWN[client]
    assert any(word in refused.value.text for word in ("AccessDenied", "Forbidden"))
    if way != "gateway":
        action, resource = BEHIND_PROXIES.get(name, (action, resource))
    if refused.value.code == "AccessDenied" and client != "rclone":  # which goes on to ask for something else
        assert sentence(action, resource) in refused.value.text


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
    assert sentence("s3:DeleteObject", OBJECT.format("blue/a")) in answer["Errors"][0]["Message"]
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


FORGED: dict[str, dict[str, str]] = {
    "nginx's target": {"X-Original-Method": "GET", "X-Original-URI": "{allowed}"},
    "forwarded target": {
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Uri": "{allowed}",
        "X-Forwarded-Host": "{host}",
    },
    "nginx's target with underscores": {"X_Original_URI": "{allowed}", "X_Original_Method": "GET"},
    "another target to send on": {"X-Daypass-Uri": "{other}"},
    "another target by Microsoft's headers": {"X-Original-URL": "{other}", "X-Rewrite-URL": "{other}"},
    "another method": {"X-HTTP-Method-Override": "DELETE"},
    "a principal": {"X-Daypass-Principal": "arn:aws:iam::123456789012:root", "X-Daypass-Account": "210000000001"},
    "a principal in other case": {"x-dAyPaSs-PrIncIpal": "arn:aws:iam::123456789012:root"},
    "the proxies' secret": {"X-Daypass-Proxy": SECRET, "X-Original-Method": "GET", "X-Original-URI": "{allowed}"},
    "a refusal": {"X-Daypass-Denial": "AAAA"},
    "a length": {"X-Original-Content-Length": "7"},
    "a connection that takes the telling away": {
        "Connection": "close, X-Original-URI, X-Forwarded-Uri, X-Daypass-Proxy, X-Daypass-Principal"
    },
    "a connection that takes the signature away": {"Connection": "close, Authorization, X-Amz-Date"},
}  # fmt: skip
"""Headers that a client adds, unsigned, to be taken for somebody else or for another request."""


def forge(door: Enforcement, red: Keys, way: str, name: str, *, signed_for: str, sent: str) -> WireAnswer:
    """A request that red has signed for one target, sent to another, with headers that should help."""
    url, other = door.url(way, "recorded"), "/recorded/blue/a" if sent.endswith("red/a") else "/recorded/red/a"
    host = urlsplit(url).netloc
    made = signed(red, "GET", signed_for, host=host, headers={"x-amz-security-token": str(red.session_token)})
    told = {key: value.format(allowed="/recorded/red/a", other=other, host=host) for key, value in FORGED[name].items()}
    return exchange(url, "GET", sent, dict(made.headers) | told)


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("way", WAYS)
def test_a_client_that_asks_for_one_target_and_sends_another_gains_nothing(
    door: Enforcement, red: Keys, way: str, name: str
) -> None:
    door.recorded.reset()
    answer = forge(door, red, way, name, signed_for="/recorded/red/a", sent="/recorded/blue/a")
    assert answer.status >= 400
    assert door.recorded.seen == []


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("way", WAYS)
def test_what_a_client_forges_reaches_no_backend(door: Enforcement, red: Keys, way: str, name: str) -> None:
    door.recorded.reset()
    answer = forge(door, red, way, name, signed_for="/recorded/red/a", sent="/recorded/red/a")
    if answer.status != 200:  # refused is as good
        assert door.recorded.seen == []
        return
    [seen] = door.recorded.seen
    assert (seen.method, seen.target) == ("GET", "/recorded/red/a")
    assert str(seen.get("X-Daypass-Principal")).startswith("arn:aws:sts::123456789012:assumed-role/")
    assert seen.get("X-Daypass-Account") == "123456789012"
    proxys = () if way == "gateway" else ("X-Original-URI", "X-Original-Content-Length")  # of no meaning at the gateway
    for gone in ("X-Daypass-Uri", "X-Daypass-Proxy", "X-Daypass-Denial", *proxys):
        assert seen.get(gone) is None


HEADERS_THAT_MAKE_NO_DIFFERENCE = ("a principal", "a refusal", "a length", "another target to send on")


@pytest.mark.parametrize("name", HEADERS_THAT_MAKE_NO_DIFFERENCE)
@pytest.mark.parametrize("way", WAYS)
def test_a_request_with_headers_of_daypasss_name_is_still_served(
    door: Enforcement, red: Keys, way: str, name: str
) -> None:
    assert forge(door, red, way, name, signed_for="/recorded/red/a", sent="/recorded/red/a").status == 200


OTHER = "210000000001"


@pytest.fixture(scope="module")
def lab(door: Enforcement) -> Keys:
    """Keys of a user of another account who may do anything in S3."""
    daypass(door.server, "accounts", "create", "lab", "--account-id", OTHER)
    parser = configparser.ConfigParser()
    parser.read(door.server.data_dir / f"root-credentials-{OTHER}", encoding="utf-8")
    profile = parser[f"daypass-root-{OTHER}"]
    iam = door.server.client("iam", Keys(profile["aws_access_key_id"], profile["aws_secret_access_key"]))
    iam.create_user(UserName="bob")
    iam.put_user_policy(UserName="bob", PolicyName="all", PolicyDocument=allow("s3:*"))
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    return Keys(key["AccessKeyId"], key["SecretAccessKey"])


@pytest.fixture(scope="module")
def all_of_s3(door: Enforcement) -> Keys:
    """A session of the first account that may do anything in S3."""
    return door.session(allow("s3:*"), team="red")


def boto(door: Enforcement, way: str, keys: Keys) -> Any:
    client = door.client(way, "juicefs", "boto3", keys)
    assert isinstance(client, BotoClient)
    return client.boto


def code(attempt: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as refused:
        attempt()
    return str(refused.value.response["Error"]["Code"])


@pytest.fixture(scope="module")
def of_lab(door: Enforcement, lab: Keys) -> str:
    """A bucket that the other account has made through the gateway."""
    boto(door, "gateway", lab).create_bucket(Bucket="of-lab")
    boto(door, "gateway", lab).put_object(Bucket="of-lab", Key="a", Body=b"of lab")
    return "of-lab"


def test_a_bucket_of_another_account_is_not_seen(door: Enforcement, lab: Keys, all_of_s3: Keys, of_lab: str) -> None:
    seen_by = {
        name: {bucket["Name"] for bucket in boto(door, "gateway", keys).list_buckets()["Buckets"]}
        for name, keys in (("lab", lab), ("first", all_of_s3))
    }
    assert seen_by["lab"] == {of_lab}
    assert of_lab not in seen_by["first"]
    assert {LAKE, POND} <= seen_by["first"]


@pytest.mark.parametrize("way", WAYS)
def test_a_bucket_of_another_account_is_denied(door: Enforcement, all_of_s3: Keys, of_lab: str, way: str) -> None:
    first = boto(door, way, all_of_s3)
    assert code(lambda: first.get_object(Bucket=of_lab, Key="a")) == "AccessDenied"
    assert code(lambda: first.put_object(Bucket=of_lab, Key="b", Body=b"x")) == "AccessDenied"
    assert code(lambda: first.list_objects_v2(Bucket=of_lab)) == "AccessDenied"


@pytest.mark.parametrize("way", PROXIES)
def test_a_list_of_buckets_with_another_accounts_among_them_goes_through_the_gateway(
    door: Enforcement, all_of_s3: Keys, of_lab: str, way: str
) -> None:
    """A proxy cannot take any of them out of the backend's answer."""
    assert of_lab
    assert code(lambda: boto(door, way, all_of_s3).list_buckets()) == "NotImplemented"


def test_a_bucket_policy_lets_another_account_read_each_way(door: Enforcement, lab: Keys, all_of_s3: Keys) -> None:
    owner = boto(door, "gateway", all_of_s3)
    owner.create_bucket(Bucket="shared")
    owner.put_object(Bucket="shared", Key="a", Body=b"for all of lab")
    assert code(lambda: boto(door, "gateway", lab).get_object(Bucket="shared", Key="a")) == "AccessDenied"
    reading = {"Principal": {"AWS": OTHER}, **statement("Allow", "s3:GetObject", resource="arn:aws:s3:::shared/*")}
    owner.put_bucket_policy(Bucket="shared", Policy=document(reading))
    for way in WAYS:
        client = boto(door, way, lab)
        assert client.get_object(Bucket="shared", Key="a")["Body"].read() == b"for all of lab"
        assert code(functools.partial(client.put_object, Bucket="shared", Key="a", Body=b"x")) == "AccessDenied"


def test_a_denial_in_a_bucket_policy_binds_each_way(door: Enforcement, all_of_s3: Keys) -> None:
    owner = boto(door, "gateway", all_of_s3)
    owner.create_bucket(Bucket="closed")
    for key in ("open/a", "secret/a"):
        owner.put_object(Bucket="closed", Key=key, Body=b"x")
    denying = {"Principal": "*", **statement("Deny", "s3:GetObject", resource="arn:aws:s3:::closed/secret/*")}
    owner.put_bucket_policy(Bucket="closed", Policy=document(denying))
    for way in WAYS:
        client = boto(door, way, all_of_s3)
        assert client.get_object(Bucket="closed", Key="open/a")["Body"].read() == b"x"
        with pytest.raises(ClientError, match="with an explicit deny in a resource-based policy"):
            client.get_object(Bucket="closed", Key="secret/a")
