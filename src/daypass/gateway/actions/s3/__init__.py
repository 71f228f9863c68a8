# SPDX-License-Identifier: Apache-2.0
"""
S3: which operation a request is, which IAM actions on which ARNs it needs, with which condition keys (docs/s3-actions.md).

    path -- names --> bucket, key;  parameters, headers -- routes, reading --> operation -- permissions, needs, keys --> Needed
"""

from daypass.gateway.actions.s3.bodies import tags_of
from daypass.gateway.actions.s3.deletions import deletion_result, deletion_without
from daypass.gateway.actions.s3.mapping import (
    S3Actions,
    existing_tags_apply,
    wants_existing_tags,
    without_copied_tags,
)
from daypass.gateway.actions.s3.names import owner_of
from daypass.gateway.actions.s3.timed import keys_at_time

__all__ = [
    "S3Actions",
    "deletion_result",
    "deletion_without",
    "existing_tags_apply",
    "keys_at_time",
    "owner_of",
    "tags_of",
    "wants_existing_tags",
    "without_copied_tags",
]
