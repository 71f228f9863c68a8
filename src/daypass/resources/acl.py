# SPDX-License-Identifier: Apache-2.0
"""
Public access control lists, refused (S3 User Guide, "Blocking public access": BlockPublicAcls).

Nothing here is granted by an access control list: a request is allowed by policies before it reaches the backend, whatever the
backend's lists say. So IgnorePublicAcls is always the case, and what is left to do is to refuse that one be written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from daypass.errors import AccessDeniedError, Reason, RequestError
from daypass.resources.s3_xml import read_grantee_uris
from daypass.store import PublicAccess

ACL_BODY_OPERATIONS: Final = frozenset({"PutBucketAcl", "PutObjectAcl"})
"""Operations that may bring an access control list in their body."""
ACL_OPERATIONS: Final = ACL_BODY_OPERATIONS | {"CreateBucket", "PutObject", "CopyObject", "CreateMultipartUpload"}
"""Operations that may bring an access control list at all (S3 User Guide, "ACL overview": setting an ACL)."""

_PUBLIC_CANNED: Final = frozenset({b"public-read", b"public-read-write", b"authenticated-read"})
_GRANTS: Final = b"x-amz-grant-"
_PUBLIC_GROUPS: Final = ("/groups/global/allusers", "/groups/global/authenticatedusers")


def check_acl(operation: str, headers: Iterable[tuple[bytes, bytes]], body: bytes | None, access: PublicAccess) -> None:
    """
    Refuse a public access control list where BlockPublicAcls is set in ``access``.

    ``headers`` as received, names in lower case; ``body``: of the operations in ``ACL_BODY_OPERATIONS``, empty where the
    list is in the headers; one that was not read (None) is refused. Raises
    AccessDeniedError (PUBLIC_ACCESS_BLOCKED), or RequestError (MALFORMED_XML) for a list that cannot be read.
    """
    if not access.block_public_acls or operation not in ACL_OPERATIONS:
        return
    in_headers = any(_is_public_header(name, value) for name, value in headers)
    if in_headers or (operation in ACL_BODY_OPERATIONS and _is_public_list(body)):
        message = "Access Denied: public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access."
        raise AccessDeniedError(Reason.PUBLIC_ACCESS_BLOCKED, message)


def _is_public_header(name: bytes, value: bytes) -> bool:
    if name == b"x-amz-acl":
        return value.strip().lower() in _PUBLIC_CANNED
    return name.startswith(_GRANTS) and _is_public_group(value.decode("latin-1"))


def _is_public_list(body: bytes | None) -> bool:
    if body is None:
        raise RequestError(
            Reason.MALFORMED_XML, "The access control list was not read, so nobody knows what it grants."
        )
    return bool(body) and any(map(_is_public_group, read_grantee_uris(body)))


def _is_public_group(text: str) -> bool:
    return any(group in text.lower() for group in _PUBLIC_GROUPS)
