# SPDX-License-Identifier: Apache-2.0
"""Sizes and counts of what is kept about resources, in one place."""

from __future__ import annotations

from typing import Final

BUCKET_POLICY: Final = 20_480
"""Bytes of a bucket policy, white space counted (S3 User Guide, "Bucket policies": 20 KB). Policies of other resources have
the same bound; AWS's own are from 10 KB (SQS and others) to 30 KB (SNS)."""
ACTION_PATTERNS: Final = 50
"""Different actions of a bucket policy that are patterns and no prefixes (``s3:*Acl``). S3 has no such bound, and some 160
actions: whoever has so many can write them out."""
POLICY_BODY: Final = 65_536
"""Bytes of the body of PutBucketPolicy that are read; more would be refused anyhow. Bytes, as ``BUCKET_POLICY`` is."""
ACL_BODY: Final = 65_536
"""Bytes of an access control list. AWS takes at most 100 grants (S3 User Guide, "ACL overview"), of some 300 bytes."""
PUBLIC_ACCESS_BODY: Final = 4_096
"""Bytes of a public access block, which has four settings."""
XML_ELEMENTS: Final = 1_024
"""Elements of an S3 document that is read: 100 grants with nine elements each fit."""
RESOURCE_ARN: Final = 2_048
"""Characters of the ARN of a resource (IAM API: arnType)."""
FIXED_IPV4_PREFIX: Final = 8
"""Address ranges wider than this are the public's (S3 User Guide, "The meaning of public"), for IPv4."""
FIXED_IPV6_PREFIX: Final = 32
"""The same for IPv6."""
