# SPDX-License-Identifier: Apache-2.0
"""Which policies are public (S3 User Guide, "The meaning of public"), and which access control lists."""

from __future__ import annotations

from typing import Any

import pytest

from daypass.errors import AccessDeniedError, Reason, RequestError
from daypass.policy import Kind, compile_policy
from daypass.resources import ACL_OPERATIONS, check_acl, is_public
from daypass.resources.limits import ACL_BODY
from daypass.resources.s3_xml import NAMESPACE
from daypass.store import PublicAccess
from resources.lake import OTHER, document, statement

POINT = f"arn:aws:s3:us-west-2:{OTHER}:accesspoint"
BLOCKED = PublicAccess(block_public_acls=True)
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"


def public(*statements: dict[str, Any]) -> bool:
    return is_public(compile_policy(document(*statements), Kind.RESOURCE))


def limited(operator: str, key: str, *values: str) -> dict[str, Any]:
    return statement(Condition={operator: {key: list(values)}})


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": [OTHER, "*"]}])
def test_a_grant_to_everybody_is_public(principal: Any) -> None:
    assert public(statement(principal=principal))


@pytest.mark.parametrize(
    "principal",
    [{"AWS": OTHER}, {"AWS": f"arn:aws:iam::{OTHER}:root"}, {"Service": "cloudtrail.amazonaws.com"}],
)
def test_a_grant_to_named_principals_is_not_public(principal: Any) -> None:
    assert not public(statement(principal=principal))


def test_one_public_statement_makes_a_policy_public_and_a_denial_makes_none() -> None:
    assert public(statement(principal={"AWS": OTHER}), statement())
    assert not public(statement("Deny"))
    assert public(statement(), statement("Deny", Condition={"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}))


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("StringEquals", "aws:SourceVpc", "vpc-91237329"),
        ("StringLike", "aws:SourceVpc", "vpc-91237329"),
        ("StringEquals", "AWS:SOURCEVPCE", "vpce-1"),
        ("StringEquals", "aws:SourceAccount", OTHER),
        ("StringEquals", "aws:SourceOwner", OTHER),
        ("StringEquals", "aws:PrincipalOrgID", "o-1234567890"),
        ("StringEquals", "aws:PrincipalAccount", OTHER),
        ("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{OTHER}:role/r"),
        ("ArnLike", "aws:SourceArn", f"arn:aws:sns:us-east-1:{OTHER}:t"),
        ("StringEquals", "aws:userid", "AIDA1234567890"),
        ("ForAnyValue:StringEquals", "aws:SourceVpc", "vpc-1"),
        ("StringEquals", "s3:DataAccessPointAccount", OTHER),
        ("ArnLike", "s3:DataAccessPointArn", f"{POINT}/*"),
        ("StringLike", "s3:DataAccessPointArn", f"{POINT}/one-*"),
        ("IpAddress", "aws:SourceIp", "192.0.2.0/24"),
        ("IpAddress", "aws:SourceIp", "192.0.2.1"),
        ("IpAddress", "aws:SourceIp", "54.0.0.0/8"),
        ("IpAddress", "aws:SourceIp", "2001:db8::/32"),
        ("IpAddress", "aws:SourceIp", "::ffff:54.0.0.0/104"),
    ],
)
def test_a_fixed_value_of_such_a_key_is_not_public(operator: str, key: str, value: str) -> None:
    assert not public(limited(operator, key, value))


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("StringLike", "aws:SourceVpc", "vpc-*"),
        ("StringLike", "aws:SourceVpc", "vpc-?"),
        ("StringEquals", "aws:SourceVpc", "${aws:username}"),
        ("StringEquals", "aws:SourceVpc", ""),
        ("StringNotEquals", "aws:SourceVpc", "vpc-1"),
        ("StringEqualsIfExists", "aws:SourceVpc", "vpc-1"),
        ("ForAllValues:StringEquals", "aws:SourceVpc", "vpc-1"),
        ("Null", "aws:SourceVpc", "false"),
        ("StringEquals", "aws:userid", "AROA1234567890:session"),
        ("StringLike", "aws:userid", "AROA1234567890:*"),
        ("StringEquals", "s3:prefix", "public/"),
        ("StringLike", "aws:Referer", "https://example.org/"),
        ("Bool", "aws:SecureTransport", "true"),
        ("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:*:accesspoint/*"),
        ("IpAddress", "aws:SourceIp", "0.0.0.0/1"),
        ("IpAddress", "aws:SourceIp", "54.0.0.0/7"),
        ("IpAddress", "aws:SourceIp", "2001:db8::/31"),
        ("IpAddress", "aws:SourceIp", "::ffff:0:0/96"),
        ("IpAddress", "aws:SourceIp", "::ffff:54.0.0.0/103"),
        ("IpAddress", "aws:SourceIp", "10.0.0.0/255.0.0.0"),
        ("IpAddress", "aws:SourceIp", "everywhere"),
        ("NotIpAddress", "aws:SourceIp", "192.0.2.0/24"),
        ("StringEquals", "aws:SourceIp", "192.0.2.1"),
    ],
)
def test_anything_else_is_public(operator: str, key: str, value: str) -> None:
    assert public(limited(operator, key, value))


def test_one_value_that_is_not_fixed_is_one_too_many() -> None:
    assert public(limited("IpAddress", "aws:SourceIp", "192.0.2.0/24", "0.0.0.0/0"))
    assert not public(limited("IpAddress", "aws:SourceIp", "192.0.2.0/24", "198.51.100.0/24"))


def test_one_fixed_condition_among_others_is_enough() -> None:
    both = {"StringEquals": {"aws:SourceVpc": "vpc-1"}, "StringLike": {"s3:prefix": "*"}}
    assert not public(statement(Condition=both))


def acl(*uris: str, name: str = "AccessControlPolicy") -> bytes:
    grants = "".join(f"<Grant><Grantee><URI>{uri}</URI></Grantee><Permission>READ</Permission></Grant>" for uri in uris)
    return f'<{name} xmlns="{NAMESPACE}"><AccessControlList>{grants}</AccessControlList></{name}>'.encode()


@pytest.mark.parametrize("operation", sorted(ACL_OPERATIONS))
@pytest.mark.parametrize(
    "header",
    [
        (b"x-amz-acl", b"public-read"),
        (b"x-amz-acl", b"public-read-write"),
        (b"x-amz-acl", b"authenticated-read"),
        (b"x-amz-grant-read", f'uri="{ALL_USERS}"'.encode()),
        (b"x-amz-grant-full-control", f'id="abc", uri="{AUTHENTICATED}"'.encode()),
    ],
)
def test_a_public_acl_in_the_headers_is_refused_where_it_is_blocked(
    operation: str, header: tuple[bytes, bytes]
) -> None:
    check_acl(operation, [header], b"", PublicAccess(False, True, True, True))
    with pytest.raises(AccessDeniedError) as caught:
        check_acl(operation, [(b"host", b"x"), header], b"", BLOCKED)
    assert caught.value.reason is Reason.PUBLIC_ACCESS_BLOCKED


@pytest.mark.parametrize(
    "header",
    [
        (b"x-amz-acl", b"private"),
        (b"x-amz-acl", b"bucket-owner-full-control"),
        (b"x-amz-grant-write", f'uri="{LOG_DELIVERY}"'.encode()),
        (b"x-amz-meta-acl", b"public-read"),
    ],
)
def test_another_acl_is_none_of_the_blocks_affairs(header: tuple[bytes, bytes]) -> None:
    check_acl("PutObject", [header], None, BLOCKED)
    check_acl("PutObjectAcl", [header], b"", BLOCKED)


def test_operations_that_bring_no_acl_are_left_alone() -> None:
    check_acl("GetObject", [(b"x-amz-acl", b"public-read")], None, BLOCKED)


@pytest.mark.parametrize("operation", ["PutBucketAcl", "PutObjectAcl"])
def test_a_public_acl_in_the_body_is_refused_and_another_is_not(operation: str) -> None:
    check_acl(operation, [], acl(LOG_DELIVERY), BLOCKED)
    check_acl(operation, [], b"", BLOCKED)
    for uri in (ALL_USERS, AUTHENTICATED, f" {ALL_USERS}\n"):
        with pytest.raises(AccessDeniedError) as caught:
            check_acl(operation, [], acl(LOG_DELIVERY, uri), BLOCKED)
        assert caught.value.reason is Reason.PUBLIC_ACCESS_BLOCKED


@pytest.mark.parametrize(
    "body",
    [
        b"x",
        b"<a/>",
        acl(name="Other"),
        b"<!DOCTYPE a>" + acl(ALL_USERS),
        b"<!--x-->" + acl(ALL_USERS),
        acl(ALL_USERS).replace(b"AllUsers", b"<![CDATA[AllUsers]]>"),
        acl(ALL_USERS).replace(b"AllUsers", b"<a/>AllUsers"),
        acl(ALL_USERS).replace(b"global/", b"<a>global/</a>"),
        acl(ALL_USERS).replace(NAMESPACE.encode(), b"urn:other"),
        acl(ALL_USERS) + b" " * ACL_BODY,
        acl(*[LOG_DELIVERY] * 1000),
    ],
)
def test_an_acl_that_cannot_be_read_is_refused_rather_than_passed_on(body: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        check_acl("PutObjectAcl", [], body, BLOCKED)
    assert caught.value.reason is Reason.MALFORMED_XML


def test_a_group_in_another_namespace_counts_for_the_backend_may_not_look() -> None:
    body = acl(ALL_USERS).replace(b"<URI>", b'<x:URI xmlns:x="urn:x">').replace(b"</URI>", b"</x:URI>")
    with pytest.raises(AccessDeniedError) as caught:
        check_acl("PutObjectAcl", [], body, BLOCKED)
    assert caught.value.reason is Reason.PUBLIC_ACCESS_BLOCKED


def test_a_group_in_small_letters_counts_for_the_backend_may_not_look() -> None:
    with pytest.raises(AccessDeniedError) as caught:
        check_acl("PutObjectAcl", [], acl(ALL_USERS).replace(b"URI>", b"uri>"), BLOCKED)
    assert caught.value.reason is Reason.PUBLIC_ACCESS_BLOCKED


@pytest.mark.parametrize("operation", ["PutBucketAcl", "PutObjectAcl"])
def test_an_acl_that_was_not_read_is_refused(operation: str) -> None:
    with pytest.raises(RequestError) as caught:
        check_acl(operation, [], None, BLOCKED)
    assert caught.value.reason is Reason.MALFORMED_XML
