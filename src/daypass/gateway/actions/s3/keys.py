# SPDX-License-Identifier: Apache-2.0
"""
The condition keys of S3: which action has which, and where the value stands in a request.

Source: Service Authorization Reference, "Condition keys for Amazon S3"; S3 API Reference, "Amazon S3 Signature Version 4
Authentication Specific Policy Keys". A key whose parameter or header is absent is absent. Names are in lower case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

GENERAL: Final = frozenset({"s3:authtype", "s3:signatureversion", "s3:x-amz-content-sha256"})
"""Of every action. ``s3:signatureage``, which needs the time, is added by ``timed``."""

OBJECT_TAG: Final = "s3:requestobjecttag/"
OBJECT_TAG_KEYS: Final = "s3:requestobjecttagkeys"
EXISTING_TAG: Final = "s3:existingobjecttag/"

_VERSION: Final = frozenset({"s3:versionid"})
_LIST: Final = frozenset({"s3:delimiter", "s3:max-keys", "s3:prefix"})
_TAGS: Final = frozenset({OBJECT_TAG, OBJECT_TAG_KEYS})
_ACL: Final = frozenset(
    {
        "s3:x-amz-acl",
        "s3:x-amz-grant-full-control",
        "s3:x-amz-grant-read",
        "s3:x-amz-grant-read-acp",
        "s3:x-amz-grant-write",
        "s3:x-amz-grant-write-acp",
    }
)
_ENCRYPTION: Final = frozenset({"s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"})
_CONTENT: Final = (
    _ACL
    | _TAGS
    | _ENCRYPTION
    | {
        "s3:x-amz-copy-source",
        "s3:x-amz-metadata-directive",
        "s3:x-amz-server-side-encryption-customer-algorithm",
        "s3:x-amz-storage-class",
        "s3:x-amz-website-redirect-location",
    }
)
_RETENTION: Final = frozenset(
    {
        "s3:object-lock-event-hold",
        "s3:object-lock-event-hold-duration-days",
        "s3:object-lock-mode",
        "s3:object-lock-remaining-retention-days",
        "s3:object-lock-retain-until-date",
    }
)
_ANNOTATIONS: Final = frozenset({"s3:annotation-prefix", "s3:max-annotation-results"})
_ANNOTATION_MATCH: Final = frozenset({"s3:x-amz-object-if-match"})
_BUCKET_TAGS: Final = frozenset({"aws:requesttag/", "aws:tagkeys"})

ACTION_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "s3:BypassGovernanceRetention": _CONTENT,
    "s3:CreateBucket": _ACL
    | _BUCKET_TAGS
    | {"s3:locationconstraint", "s3:x-amz-bucket-namespace", "s3:x-amz-object-ownership"},
    "s3:DeleteObject": frozenset({"s3:if-match"}),
    "s3:DeleteObjectAnnotation": _ANNOTATION_MATCH,
    "s3:DeleteObjectVersion": _VERSION,
    "s3:DeleteObjectVersionAnnotation": _VERSION | _ANNOTATION_MATCH,
    "s3:DeleteObjectVersionTagging": _VERSION,
    "s3:GetObjectVersion": _VERSION,
    "s3:GetObjectVersionAcl": _VERSION,
    "s3:GetObjectVersionAnnotation": _VERSION,
    "s3:GetObjectVersionAttributes": _VERSION,
    "s3:GetObjectVersionTagging": _VERSION,
    "s3:ListBucket": _LIST,
    "s3:ListBucketVersions": _LIST,
    "s3:ListObjectAnnotations": _ANNOTATIONS,
    "s3:ListObjectVersionAnnotations": _ANNOTATIONS | _VERSION,
    "s3:PutBucketAcl": _ACL,
    "s3:PutInventoryConfiguration": frozenset({"s3:inventoryaccessibleoptionalfields"}),
    "s3:PutObject": _CONTENT
    | _RETENTION
    | {
        "s3:if-match",
        "s3:if-none-match",
        "s3:object-lock-legal-hold",
        "s3:objectcreationoperation",
        "s3:x-amz-object-annotation-directive",
    },
    "s3:PutObjectAcl": _ACL | {"s3:x-amz-storage-class"},
    "s3:PutObjectAnnotation": _ANNOTATION_MATCH,
    "s3:PutObjectLegalHold": frozenset({"s3:object-lock-legal-hold"}),
    "s3:PutObjectRetention": _RETENTION,
    "s3:PutObjectTagging": _TAGS,
    "s3:PutObjectVersionAcl": _ACL | _VERSION | {"s3:x-amz-storage-class"},
    "s3:PutObjectVersionAnnotation": _VERSION | _ANNOTATION_MATCH,
    "s3:PutObjectVersionTagging": _TAGS | _VERSION,
    "s3:TagResource": _BUCKET_TAGS,
    "s3:UpdateObjectEncryption": _ENCRYPTION,
    "iam:PassRole": frozenset({"iam:passedtoservice"}),
}
"""The keys of a request by action, those of ``GENERAL`` aside. A name that ends with a slash is a family."""

EXISTING_TAG_ACTIONS: Final = frozenset(
    {
        "s3:DeleteObjectAnnotation",
        "s3:DeleteObjectTagging",
        "s3:DeleteObjectVersionAnnotation",
        "s3:DeleteObjectVersionTagging",
        "s3:GetObject",
        "s3:GetObjectAcl",
        "s3:GetObjectAnnotation",
        "s3:GetObjectAttributes",
        "s3:GetObjectTagging",
        "s3:GetObjectVersion",
        "s3:GetObjectVersionAcl",
        "s3:GetObjectVersionAnnotation",
        "s3:GetObjectVersionAttributes",
        "s3:GetObjectVersionTagging",
        "s3:ListObjectAnnotations",
        "s3:ListObjectVersionAnnotations",
        "s3:PutObjectAcl",
        "s3:PutObjectAnnotation",
        "s3:PutObjectTagging",
        "s3:PutObjectVersionAcl",
        "s3:PutObjectVersionAnnotation",
        "s3:PutObjectVersionTagging",
        "s3:UpdateObjectEncryption",
    }
)
"""The actions that have ``s3:ExistingObjectTag/<key>``: the tags that the object of the request has already."""

QUERY_KEYS: Final[Mapping[bytes, str]] = {
    b"prefix": "s3:prefix",
    b"delimiter": "s3:delimiter",
    b"max-keys": "s3:max-keys",
    b"annotation-prefix": "s3:annotation-prefix",
    b"max-annotation-results": "s3:max-annotation-results",
    b"versionId": "s3:versionid",
}
"""Keys whose value is that of a parameter."""

NUMBERS: Final = frozenset({b"max-keys", b"max-annotation-results"})
PREFIXES: Final = frozenset({b"prefix", b"annotation-prefix"})

HEADER_KEYS: Final[Mapping[bytes, str]] = {
    **{
        key.removeprefix("s3:").encode(): key
        for key in sorted(frozenset().union(*ACTION_KEYS.values()))
        if key.startswith("s3:x-amz-") and key != "s3:x-amz-copy-source"
    },
    b"if-match": "s3:if-match",
    b"if-none-match": "s3:if-none-match",
    b"x-amz-object-lock-mode": "s3:object-lock-mode",
    b"x-amz-object-lock-retain-until-date": "s3:object-lock-retain-until-date",
    b"x-amz-object-lock-legal-hold": "s3:object-lock-legal-hold",
    b"x-amz-object-lock-event-hold": "s3:object-lock-event-hold",
    b"x-amz-object-lock-event-hold-duration-days": "s3:object-lock-event-hold-duration-days",
}
"""Keys whose value is that of a header."""
