# SPDX-License-Identifier: Apache-2.0
"""
Ways past a policy through what stores make of a request: archives that are unpacked, keys that end with a slash, ids that are
paths, credentials in escapes, names of buckets that are not there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as replace_struct

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.s3 import S3Actions
from daypass.gateway.actions.s3.deletions import read_deletion
from daypass.gateway.actions.s3.names import RESERVED, read_copy_source
from daypass.gateway.backends import Backend, Backends, Upstream
from daypass.gateway.onward import onward_headers, without_credential
from daypass.sigv4 import RawRequest
from fakes.backend import OK, answers_once
from gateway.actions.s3.requests import asked, incoming
from journeys.gateway import Gateway, Reply, running_gateway
from running import Keys

OBJECT, SLASH, PREFIX = "/bucket/key", "/bucket/red/secret/", "arn:aws:s3:::"
ABSENT = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
PRESENT = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
STATEMENTS = [
    {"Effect": "Allow", "Action": "s3:*", "Resource": f"{PREFIX}bucket/red/*"},
    {"Effect": "Deny", "Action": "s3:*", "Resource": f"{PREFIX}bucket/red/secret"},
]

UNPACKED = {
    "a header": ("PUT", OBJECT, "", {"x-amz-meta-snowball-auto-extract": "true"}),
    "one that says no": ("PUT", OBJECT, "", {"x-amz-meta-snowball-auto-extract": "false"}),
    "where to": ("PUT", OBJECT, "", {"x-amz-meta-minio-snowball-prefix": "blue"}),
    "another store's": ("PUT", OBJECT, "", {"x-amz-meta-rustfs-snowball-prefix": "blue"}),
    "a presigned upload": ("PUT", OBJECT, "X-Amz-Meta-Snowball-Auto-Extract=true", {}),
    "a copy": ("PUT", OBJECT, "", {"x-amz-copy-source": "a-bucket/b", "x-amz-meta-snowball-auto-extract": "true"}),
}


@pytest.mark.parametrize(("method", "path", "query", "headers"), UNPACKED.values(), ids=UNPACKED)
def test_an_upload_that_a_store_would_unpack_into_other_keys_is_refused(
    method: str, path: str, query: str, headers: dict[str, str]
) -> None:
    with pytest.raises(RequestError) as refused:
        asked(method, path, query, headers)
    assert refused.value.reason is Reason.UNKNOWN_PARAMETER


WRITES = {
    "PutObject": ("PUT", "", {}),
    "CopyObject": ("PUT", "", {"x-amz-copy-source": "bucket/red/x", "x-amz-tagging-directive": "REPLACE"}),
    "CompleteMultipartUpload": ("POST", "uploadId=u", {}),
    "DeleteObject": ("DELETE", "", {}),
    "DeleteObjectTagging": ("DELETE", "tagging", {}),
}


@pytest.mark.parametrize(("method", "query", "headers"), WRITES.values(), ids=WRITES)
def test_a_write_to_a_key_with_a_slash_at_its_end_needs_the_key_without_it_too(
    method: str, query: str, headers: dict[str, str]
) -> None:
    *_, needed = asked(method, SLASH, query, headers).needed
    assert [one.resource for one in needed.by_every_name] == [
        f"{PREFIX}bucket/red/secret/",
        f"{PREFIX}bucket/red/secret",
    ]
    assert {one.action for one in needed.by_every_name} == {needed.action}


def test_each_key_of_a_deletion_with_a_slash_at_its_end_needs_the_key_without_it_too() -> None:
    body = b"<Delete><Object><Key>a/</Key></Object><Object><Key>b</Key><VersionId>v</VersionId></Object></Delete>"
    names = [
        [one.resource for one in each.by_every_name] for each in asked("POST", "/bucket", "delete", body=body).each
    ]
    assert names == [[f"{PREFIX}bucket/a/", f"{PREFIX}bucket/a"], [f"{PREFIX}bucket/b"]]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_read_of_a_key_with_a_slash_at_its_end_needs_that_key_only(method: str) -> None:
    assert [one.also for one in asked(method, SLASH).needed] == [""]


def test_a_store_that_keeps_keys_apart_is_asked_about_the_key_as_it_is() -> None:
    operation = S3Actions(empty_segments=True).operation(incoming("DELETE", SLASH))
    assert [one.also for one in operation.needed] == [""]


NO_IDS = (
    "..",
    "a%2F..%2Fb",
    "..%2Flake",
    ".",
    "%2Flake",
    "a%5Cb",
    "a%3Fb",
    "a%23b",
    "a%26b",
    "a%3Bb",
    "a%20b",
    "%C3%BC",
)


@pytest.mark.parametrize("text", NO_IDS)
@pytest.mark.parametrize("name", ["versionId", "uploadId"])
def test_an_id_that_could_be_a_path_is_refused(name: str, text: str) -> None:
    with pytest.raises(RequestError) as refused:
        asked("DELETE", OBJECT, f"{name}={text}")
    assert refused.value.reason is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize("version", ["..", "a/../b", "a;b"])
def test_a_version_that_could_be_a_path_is_refused_wherever_it_is_named(version: str) -> None:
    body = f"<Delete><Object><Key>a</Key><VersionId>{version}</VersionId></Object></Delete>".encode()
    with pytest.raises(RequestError):
        read_deletion(body)
    with pytest.raises(RequestError):
        read_copy_source(b"bucket/key?versionId=" + version.encode(), empty_segments=False)


IDS = (
    "null",
    "3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo",  # of S3's own documentation
    "04ea6be2-0d98-4970-8258-9acd1a12477b",
    "2~iCw_lDY8VoBhoRrIJbPMrUqnE3Z-3Qh",
    "EXAMPLE..Tp.j2ej-o.QmWc~x_Lk=",
)


@pytest.mark.parametrize("text", IDS)
def test_an_id_as_stores_give_them_is_taken(text: str) -> None:
    quoted = text.replace("/", "%2F").replace("+", "%2B")
    assert asked("DELETE", OBJECT, f"uploadId={quoted}").name == "AbortMultipartUpload"
    assert asked("GET", OBJECT, f"versionId={quoted}").needed[0].keys["s3:versionid"] == text


def test_an_escaped_credential_does_not_go_on() -> None:
    query = b"a=1&X-Amz-Security%2DToken=t&%58-Amz-Signature=s&b%2D=2"
    assert without_credential(query) == b"a=1&b%2D=2"


def test_a_bucket_that_the_host_names_is_chosen_by_its_path_as_if_it_stood_there() -> None:
    nothing: Any = None
    rest = Backend("rest", "s3", nothing, nothing, Upstream("http", "h", 80), "us-east-1", "1" * 12, host="s3.test")
    backends = Backends([rest, replace_struct(rest, name="one", path="/one")])
    found = [
        backends.choose(host, path)
        for host, path in (
            (b"one.s3.test", b"/key"),
            (b"two.s3.test", b"/one/key"),
            (b"s3.test", b"/one/key"),
            (b"s3.test", b"/two/key"),
        )
    ]
    assert [(one.backend.name, one.bucket) for one in found if one is not None] == [
        ("one", "one"),
        ("rest", "two"),
        ("one", None),
        ("rest", None),
    ]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway, and a user who may do everything."""
    with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture(scope="module")
def red(gateway: Gateway) -> Gateway:
    """The same, and a user who may do everything to keys below red/, but for one."""
    iam = gateway.server.client("iam", gateway.server.root())
    iam.create_user(UserName="red")
    document = json.dumps({"Version": "2012-10-17", "Statement": STATEMENTS})
    iam.put_user_policy(UserName="red", PolicyName="red", PolicyDocument=document)
    key = iam.create_access_key(UserName="red")["AccessKey"]
    return replace(gateway, keys=Keys(key["AccessKeyId"], key["SecretAccessKey"]))


def _ask(gateway: Gateway, method: str, target: str, answer: bytes = OK, **options: Any) -> tuple[Reply, list[bytes]]:
    """What comes of a request at a backend that answers this, and the requests that reach it."""
    gateway.backend.forget()
    gateway.backend.behave = answers_once(answer)
    reply = gateway.ask(gateway.request(method, target, **options))
    return reply, [one.head.partition(b" HTTP/")[0] for one in gateway.backend.complete]


def test_a_denied_key_cannot_be_deleted_by_a_slash_at_its_end(red: Gateway) -> None:
    reply, sent = _ask(red, "DELETE", SLASH)
    assert (reply.status, reply.code, sent) == (403, "AccessDenied", [])
    reply, sent = _ask(red, "DELETE", "/bucket/red/other/")
    assert (reply.status, sent) == (200, [b"DELETE /bucket/red/other/"])


def test_a_denied_key_cannot_be_deleted_among_many_by_a_slash_at_its_end(red: Gateway) -> None:
    body = b"<Delete><Object><Key>red/secret/</Key></Object></Delete>"
    reply, sent = _ask(red, "POST", "/bucket?delete=", body=body)
    assert (reply.status, reply.code, sent) == (200, "AccessDenied", [])


def test_nothing_is_looked_up_for_a_copy_that_is_denied_whatever_tags_its_source_has(red: Gateway) -> None:
    reply, sent = _ask(red, "PUT", "/bucket/blue/copy", headers={"x-amz-copy-source": "bucket/red/other"})
    assert (reply.status, reply.code, sent) == (403, "AccessDenied", [])
    reply, sent = _ask(red, "PUT", "/bucket/red/copy", headers={"x-amz-copy-source": "bucket/blue/secret"})
    assert (reply.status, reply.code, sent) == (403, "AccessDenied", [])


def test_an_archive_to_be_unpacked_does_not_reach_the_backend(red: Gateway) -> None:
    headers = {"x-amz-meta-snowball-auto-extract": "true"}
    reply, sent = _ask(red, "PUT", "/bucket/red/a.tar", body=b"archive", headers=headers)
    assert (reply.status, reply.code, sent) == (400, "InvalidArgument", [])


ELSEWHERE = {
    "replication": (
        "replication=",
        "<ReplicationConfiguration><Rule><Status>Enabled</Status><Destination>"
        "<Bucket>arn:aws:s3:::blue</Bucket></Destination></Rule></ReplicationConfiguration>",
    ),
    "inventory": (
        "inventory=&id=a",
        "<InventoryConfiguration><Destination><S3BucketDestination><Bucket>arn:aws:s3:::blue</Bucket><Format>CSV</Format>"
        "</S3BucketDestination></Destination><IsEnabled>true</IsEnabled><Id>a</Id><IncludedObjectVersions>All"
        "</IncludedObjectVersions><Schedule><Frequency>Daily</Frequency></Schedule></InventoryConfiguration>",
    ),
    "analytics": ("analytics=&id=a", "<AnalyticsConfiguration/>"),
    "logging": ("logging=", "<BucketLoggingStatus/>"),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_setting_by_which_a_store_would_write_into_another_bucket_does_not_reach_it(
    gateway: Gateway, name: str
) -> None:
    query, body = ELSEWHERE[name]
    reply, sent = _ask(gateway, "PUT", f"/bucket?{query}", body=body.encode())
    assert (reply.status, reply.code, sent) == (501, "NotImplemented", [])


SETTINGS = {
    "a policy": (
        "policy",
        204,
        json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": f"{PREFIX}a-policy/*"}
                ],
            }
        ),
    ),
    "a public access block": (
        "publicAccessBlock",
        200,
        "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>",
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_nothing_is_recorded_of_a_bucket_that_the_backend_does_not_have(gateway: Gateway, name: str) -> None:
    setting, done, body = SETTINGS[name]
    bucket = f"/{name.replace(' ', '-')}"
    for answer, status, asked_of_the_backend in ((ABSENT, 404, True), (PRESENT, done, True), (PRESENT, done, False)):
        reply, sent = _ask(gateway, "PUT", f"{bucket}?{setting}=", answer, body=body.encode())
        assert (reply.status, sent) == (status, [f"HEAD {bucket}".encode()] if asked_of_the_backend else [])
        assert reply.code == ("NoSuchBucket" if status == 404 else "")


@pytest.mark.parametrize(
    "name", [b"x_daypass_principal", b"x-daypass_account", b"x.daypass.principal", b"x_forwarded_for"]
)
def test_a_header_that_a_backend_reads_as_one_of_ours_does_not_go_on(name: bytes) -> None:
    headers = ((name, b"forged"), (b"x-amz-meta-some_name", b"kept"))
    assert onward_headers(RawRequest("GET", b"/", b"", headers)) == [(b"x-amz-meta-some_name", b"kept")]


def test_a_semicolon_in_the_source_of_a_copy_is_refused_unless_it_is_escaped() -> None:
    with pytest.raises(RequestError) as refused:
        read_copy_source(b"bucket/red/secret;x", empty_segments=False)
    assert refused.value.reason is Reason.MALFORMED_REQUEST
    assert read_copy_source(b"bucket/red/secret%3Bx", empty_segments=False).key == "red/secret;x"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("coding", [{}, {"transfer-encoding": "chunked"}])
def test_a_body_that_a_backend_could_take_for_a_request_is_refused(
    gateway: Gateway, method: str, coding: dict[str, str]
) -> None:
    hidden = b"GET /bucket/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    sent = gateway.request(method, OBJECT, body=hidden)
    if coding:
        framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(hidden), hidden)
        sent = replace(sent.without("content-length").plus(*coding.items()), body=framed)
    gateway.backend.forget()
    reply = gateway.ask(sent)
    assert (reply.status, gateway.backend.complete) == (400, [])


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_bucket_that_is_another_interface_of_its_store_is_refused(name: str) -> None:
    requests = [
        ("GET", f"/{name}/admin/v3/list-users", {}, None),
        ("GET", "/admin/v3/list-users", {}, name),
        ("PUT", f"/{name}", {}, None),
        ("PUT", OBJECT, {"x-amz-copy-source": f"{name}/admin/v3/config"}, None),
    ]
    for method, path, headers, bucket in requests:
        with pytest.raises(RequestError) as refused:
            asked(method, path, headers=headers, bucket=bucket)
        assert refused.value.reason is Reason.MALFORMED_REQUEST
    assert asked("GET", f"/{name}s/key").name == "GetObject"


@pytest.mark.parametrize("folder", [".sys", ".minio.sys", ".uploads", ".sgwtmp", ".trash"])
def test_a_folder_that_stores_of_files_keep_for_themselves_is_refused(folder: str) -> None:
    requests: list[tuple[str, str, str, dict[str, str]]] = [
        ("GET", f"/bucket/{folder}/uploads/id/1", "", {}),
        ("DELETE", f"/bucket/{folder}", "", {}),
        ("GET", "/bucket", f"list-type=2&prefix={folder}%2F", {}),
        ("PUT", OBJECT, "", {"x-amz-copy-source": f"bucket/{folder}/uploads/id/1"}),
    ]
    for method, path, query, headers in requests:
        with pytest.raises(RequestError) as refused:
            asked(method, path, query, headers)
        assert refused.value.reason is Reason.MALFORMED_REQUEST
    assert asked("GET", f"/bucket/{folder}tem/key").name == "GetObject"
    assert asked("GET", f"/bucket/red/{folder}/key").name == "GetObject"
    kept_apart = S3Actions(empty_segments=True)
    assert kept_apart.operation(incoming("GET", f"/bucket/{folder}/key")).name == "GetObject"
