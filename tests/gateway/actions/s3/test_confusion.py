# SPDX-License-Identifier: Apache-2.0
"""No request that a backend could take for another operation is taken for any."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.s3.reading import OF_OTHER_SYSTEMS
from daypass.gateway.actions.s3.routes import load_routes
from gateway.actions.s3.requests import ACTIONS, asked, incoming, permissions

OBJECT, BUCKET = "/bucket/key", "/bucket"

QUERIES = {
    "two sub-resources": ("GET", OBJECT, "acl&tagging", Reason.UNSUPPORTED_OPERATION),
    "two of a bucket": ("GET", BUCKET, "policy&list-type=2", Reason.UNSUPPORTED_OPERATION),
    "a sub-resource in capitals": ("GET", OBJECT, "Acl", Reason.UNKNOWN_PARAMETER),
    "a sub-resource of another system": ("GET", BUCKET, "replication-metrics", Reason.UNKNOWN_PARAMETER),
    "a sub-resource with a value": ("GET", OBJECT, "acl=1", Reason.MALFORMED_REQUEST),
    "a sub-resource twice": ("GET", OBJECT, "acl&acl", Reason.DUPLICATE_PARAMETER),
    "a sub-resource twice, once empty": ("GET", OBJECT, "acl&acl=", Reason.DUPLICATE_PARAMETER),
    "an escaped sub-resource": ("GET", OBJECT, "%61cl", Reason.MALFORMED_REQUEST),
    "an escaped name behind another": ("GET", OBJECT, "versionId=1&%61cl", Reason.MALFORMED_REQUEST),
    "a semicolon": ("GET", BUCKET, "prefix=a;acl", Reason.MALFORMED_REQUEST),
    "a sub-resource of objects at a bucket": ("GET", BUCKET, "legal-hold", Reason.UNKNOWN_PARAMETER),
    "a sub-resource of buckets at an object": ("GET", OBJECT, "policy", Reason.UNKNOWN_PARAMETER),
    "a sub-resource of another method": ("DELETE", OBJECT, "acl", Reason.UNKNOWN_PARAMETER),
    "a deletion of many at an object": ("POST", OBJECT, "delete", Reason.UNSUPPORTED_OPERATION),
    "a deletion of many by PUT": ("PUT", BUCKET, "delete", Reason.UNKNOWN_PARAMETER),
    "a part without its upload": ("PUT", OBJECT, "partNumber=1", Reason.UNSUPPORTED_OPERATION),
    "an upload without its part": ("PUT", OBJECT, "uploadId=a", Reason.UNSUPPORTED_OPERATION),
    "an upload without its id": ("DELETE", OBJECT, "uploadId=", Reason.MALFORMED_REQUEST),
    "an upload without an equals sign": ("DELETE", OBJECT, "uploadId", Reason.MALFORMED_REQUEST),
    "an upload in other case": ("DELETE", OBJECT, "uploadID=a", Reason.UNKNOWN_PARAMETER),
    "an upload and a tagging": ("DELETE", OBJECT, "uploadId=a&tagging", Reason.UNSUPPORTED_OPERATION),
    "a version without an id": ("GET", OBJECT, "versionId=", Reason.MALFORMED_REQUEST),
    "a version in other case": ("GET", OBJECT, "versionid=a", Reason.UNKNOWN_PARAMETER),
    "two versions": ("DELETE", OBJECT, "versionId=a&versionId=b", Reason.DUPLICATE_PARAMETER),
    "a version of a bucket": ("DELETE", BUCKET, "versionId=a", Reason.UNKNOWN_PARAMETER),
    "an unknown version of the listing": ("GET", BUCKET, "list-type=1", Reason.MALFORMED_REQUEST),
    "another select": ("POST", OBJECT, "select&select-type=3", Reason.MALFORMED_REQUEST),
    "half a select": ("POST", OBJECT, "select", Reason.UNSUPPORTED_OPERATION),
    "a parameter of a vendor": ("GET", BUCKET, "metadata=true", Reason.UNKNOWN_PARAMETER),
    "an administrator's parameter": ("GET", "/", "rgwx-uid=root", Reason.UNKNOWN_PARAMETER),
    "a parameter without a name": ("GET", OBJECT, "=a", Reason.UNKNOWN_PARAMETER),
    "a form": ("POST", BUCKET, "", Reason.UNSUPPORTED_OPERATION),
    "a POST to an object": ("POST", OBJECT, "", Reason.UNSUPPORTED_OPERATION),
    "a preflight": ("OPTIONS", OBJECT, "", Reason.UNSUPPORTED_OPERATION),
    "a patch": ("PATCH", OBJECT, "", Reason.UNSUPPORTED_OPERATION),
    "a method in small letters": ("get", OBJECT, "", Reason.UNSUPPORTED_OPERATION),
    "a deletion of everything": ("DELETE", "/", "", Reason.UNSUPPORTED_OPERATION),
    "an operation in x-id": ("GET", OBJECT, "x-id=GetObjectAcl", Reason.MALFORMED_REQUEST),
    "x-id in other case": ("GET", OBJECT, "X-Id=GetObject", Reason.UNKNOWN_PARAMETER),
    "x-id twice": ("GET", OBJECT, "x-id=GetObject&x-id=GetObject", Reason.DUPLICATE_PARAMETER),
    "an ACL in the query": ("PUT", OBJECT, "X-Amz-Acl=public-read", Reason.UNKNOWN_PARAMETER),
    "a copy in the query": ("PUT", OBJECT, "x-amz-copy-source=a%2Fb", Reason.UNKNOWN_PARAMETER),
    "encryption in the query": ("PUT", OBJECT, "x-amz-server-side-encryption=AES256", Reason.UNKNOWN_PARAMETER),
    "a bypass in the query": (
        "DELETE",
        OBJECT,
        "X-Amz-Bypass-Governance-Retention=true",
        Reason.UNKNOWN_PARAMETER,
    ),
    "a signature in other case": ("GET", OBJECT, "x-amz-signature=a", Reason.UNKNOWN_PARAMETER),
    "a meta header in two cases": ("PUT", OBJECT, "x-amz-meta-a=1&X-Amz-Meta-A=2", Reason.DUPLICATE_PARAMETER),
    "a number that is none": ("GET", BUCKET, "max-keys=-1", Reason.MALFORMED_REQUEST),
    "a number in other digits": ("GET", BUCKET, "max-keys=%D9%A1", Reason.MALFORMED_REQUEST),
    "a number that is too large": ("GET", BUCKET, "max-keys=2147483648", Reason.MALFORMED_REQUEST),
    "a prefix with a parent": ("GET", BUCKET, "prefix=public%2F..%2Fsecret%2F", Reason.MALFORMED_REQUEST),
    "a prefix that ends with a parent": ("GET", BUCKET, "list-type=2&prefix=a%2F..", Reason.MALFORMED_REQUEST),
    "a prefix with an empty segment": ("GET", BUCKET, "prefix=a%2F%2Fb", Reason.MALFORMED_REQUEST),
    "a prefix with a line break": ("GET", BUCKET, "prefix=a%0Ab", Reason.MALFORMED_REQUEST),
    "a long prefix": ("GET", BUCKET, "prefix=" + "a" * 1025, Reason.MALFORMED_REQUEST),
    "a prefix that is not UTF-8": ("GET", BUCKET, "prefix=%FF", Reason.MALFORMED_REQUEST),
}


@pytest.mark.parametrize(("method", "path", "query", "reason"), QUERIES.values(), ids=QUERIES)
def test_a_query_that_names_no_operation_or_more_than_one_is_refused(
    method: str, path: str, query: str, reason: Reason
) -> None:
    with pytest.raises(RequestError) as refused:
        asked(method, path, query)
    assert refused.value.reason is reason
    assert ACTIONS.body_limit(incoming(method, path, query)) is None


HEADERS = {
    "a copy of another operation": ("PUT", OBJECT, "tagging", {"x-amz-copy-source": "a/b"}),
    "a copy of a bucket": ("PUT", BUCKET, "", {"x-amz-copy-source": "a/b"}),
    "a copy by GET": ("GET", OBJECT, "", {"x-amz-copy-source": "a/b"}),
    "a directive without a copy": ("PUT", OBJECT, "", {"x-amz-metadata-directive": "REPLACE"}),
    "an ACL of a part": ("PUT", OBJECT, "partNumber=1&uploadId=a", {"x-amz-acl": "public-read"}),
    "an ACL of a completion": ("POST", OBJECT, "uploadId=a", {"x-amz-acl": "public-read"}),
    "a bypass of a tagging": ("PUT", OBJECT, "tagging", {"x-amz-bypass-governance-retention": "true"}),
    "tags of a deletion": ("DELETE", OBJECT, "", {"x-amz-tagging": "a=b"}),
    "a rename": ("PUT", OBJECT, "", {"x-amz-rename-source": "a"}),
    "a directory bucket's session": ("GET", OBJECT, "", {"x-amz-s3session-token": "t"}),
    "an operation of JSON": ("POST", BUCKET, "delete", {"x-amz-target": "S3.Other"}),
    "an unknown one": ("GET", OBJECT, "", {"x-amz-something-new": "1"}),
    "underscores": ("PUT", OBJECT, "", {"x_amz_acl": "public-read"}),
    "one underscore": ("PUT", OBJECT, "", {"x-amz_acl": "public-read"}),
    "a forced deletion": ("DELETE", OBJECT, "", {"x-minio-force-delete": "true"}),
    "a copy of Swift": ("PUT", OBJECT, "", {"x-copy-from": "a/b"}),
    "another method": ("GET", OBJECT, "", {"x-http-method-override": "DELETE"}),
    "another path": ("GET", OBJECT, "", {"x-original-url": "/other"}),
}


@pytest.mark.parametrize(("method", "path", "query", "headers"), HEADERS.values(), ids=HEADERS)
def test_a_header_that_is_not_the_operations_is_refused(
    method: str, path: str, query: str, headers: dict[str, str]
) -> None:
    with pytest.raises(RequestError) as refused:
        asked(method, path, query, headers)
    assert refused.value.reason is Reason.UNKNOWN_PARAMETER
    assert next(iter(headers)) in str(refused.value)


@pytest.mark.parametrize("prefix", OF_OTHER_SYSTEMS)
def test_a_header_of_another_system_is_refused_whatever_the_operation(prefix: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        asked("GET", OBJECT, headers={f"{prefix.decode()}y": "1"})
    assert refused.value.reason is Reason.UNKNOWN_PARAMETER


@pytest.mark.parametrize("name", ["x-amz-acl", "x-amz-copy-source", "x-amz-meta-a", "if-match", "x-amz-tagging"])
def test_a_header_that_came_twice_is_refused(name: str) -> None:
    with pytest.raises(RequestError) as refused:
        asked("PUT", OBJECT, headers=[(name, "source/a"), (name, "source/a")])
    assert refused.value.reason is Reason.DUPLICATE_PARAMETER


ALIKE = {
    "what SDKs add": ("GET", OBJECT, "x-id=GetObject", {"x-amz-user-agent": "aws-sdk-js", "x-request-id": "1"}),
    "the former name in x-id": ("GET", BUCKET, "lifecycle&x-id=GetBucketLifecycle", {}),
    "an empty marker": ("GET", OBJECT, "acl=", {}),
    "parameters of the response": ("GET", OBJECT, "response-content-type=a%2Fb&partNumber=2", {}),
    "meta, checksums and encryption": (
        "PUT",
        OBJECT,
        "",
        {
            "x-amz-meta-a": "b",
            "x-amz-checksum-crc32": "AAAAAA==",
            "x-amz-sdk-checksum-algorithm": "CRC32",
            "x-amz-server-side-encryption": "AES256",
            "x-amz-trailer": "x-amz-checksum-crc32",
            "x-amz-decoded-content-length": "5",
        },
    ),
    "a presigned URL": (
        "PUT",
        OBJECT,
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Date=b&X-Amz-Expires=1&X-Amz-SignedHeaders=host"
        "&X-Amz-Security-Token=t&X-Amz-Signature=s&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&x-id=PutObject"
        "&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&X-Amz-Meta-A=b",
        {},
    ),
}
NAMES = ("GetObject", "GetBucketLifecycleConfiguration", "GetObjectAcl", "GetObject", "PutObject", "PutObject")


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "name"),
    [(*row, name) for row, name in zip(ALIKE.values(), NAMES, strict=True)],
    ids=ALIKE,
)
def test_what_clients_add_to_an_operation_does_not_make_it_another(
    method: str, path: str, query: str, headers: dict[str, str], name: str
) -> None:
    assert asked(method, path, query, headers).name == name


KNOWN = sorted(
    {name.decode() for choice in load_routes().values() for one in choice.routes.values() for name in one.parameters}
)
NAME = st.one_of(
    st.sampled_from(KNOWN),
    st.sampled_from(KNOWN).map(str.upper),
    st.sampled_from(KNOWN).map(str.title),
    st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=8),
)
PARAMETERS = st.lists(st.tuples(NAME, st.sampled_from(["", "1", "2", "v"])), max_size=4)


@given(st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE"]), st.sampled_from(["/", BUCKET, OBJECT]), PARAMETERS)
def test_no_request_with_a_parameter_of_another_operation_is_an_operation(
    method: str, path: str, parameters: list[tuple[str, str]]
) -> None:
    query = "&".join(f"{name}={value}" for name, value in parameters)
    try:
        name = asked(method, path, query, body=None).name
    except RequestError:
        return
    routes = [one for choice in load_routes().values() for one in choice.routes.values() if one.name == name]
    (route,) = [one for one in routes if one.method == method]
    sent = {key.encode() for key, _ in parameters}
    assert sent <= route.parameters
    assert len(sent) == len(parameters)
    assert sent >= route.selectors
    others = [
        one.name
        for one in load_routes()[method, route.target].routes.values()
        if one is not route and not one.copies and one.selectors <= sent and not one.selectors <= route.selectors
    ]
    assert others == []


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=60))
def test_whatever_the_bytes_there_is_an_operation_or_a_refusal(path: bytes, source: bytes, body: bytes) -> None:
    requests = [
        incoming("GET", b"/" + path),
        incoming("PUT", b"/bucket/" + path, headers=[("x-amz-copy-source", source.decode("latin-1"))]),
        incoming("POST", "/bucket", "delete", body=body),
        incoming("PUT", "/bucket/key", "tagging", body=body),
        incoming("PUT", "/bucket/key", headers=[("x-amz-tagging", source.decode("latin-1"))]),
    ]
    for request in requests:
        ACTIONS.body_limit(request)
        try:
            assert ACTIONS.operation(request).service == "s3"
        except RequestError:
            pass


def test_a_refusal_does_not_say_what_a_header_says() -> None:
    with pytest.raises(RequestError) as refused:
        asked("GET", OBJECT, headers={"x-amz-token-of-mine": "secret-value"})
    assert "secret-value" not in str(refused.value)


def test_the_first_path_that_a_virtual_host_has_is_the_bucket_itself() -> None:
    assert asked("GET", "/", bucket="bucket").name == "ListObjects"
    assert permissions(asked("PUT", "/bucket", bucket="bucket")) == [("s3:PutObject", "bucket/bucket")]
