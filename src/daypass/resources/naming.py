# SPDX-License-Identifier: Apache-2.0
"""ARNs of resources: which of them can have a policy here, and which resource's policy is asked for another."""

from __future__ import annotations

import re
from typing import Final

from daypass.arn import Arn
from daypass.errors import EntityError, Reason
from daypass.resources.limits import RESOURCE_ARN

BUCKET_PREFIX: Final = "arn:aws:s3:::"
"""How the ARNs of buckets and objects begin."""

_ARN: Final = re.compile(r"arn:aws:[a-z0-9-]+:[a-z0-9-]*:(?:[0-9]{12})?:[^\x00-\x20\x7f*?$]+", re.ASCII)
_NOT_OURS: Final = frozenset({"iam", "sts", "organizations"})


def bucket_arn(name: str) -> str:
    """The ARN of a bucket."""
    return BUCKET_PREFIX + name


def bucket_name(arn: str) -> str | None:
    """The bucket that an ARN names; None for other ARNs, objects among them."""
    name = arn.removeprefix(BUCKET_PREFIX)
    return name if name != arn and name and "/" not in name else None


def policy_arn_of(arn: str) -> str:
    """The resource whose policy and owner count for ``arn``: of an object, its bucket; else itself; empty for no ARN."""
    if arn.startswith(BUCKET_PREFIX):
        return arn.partition("/")[0]
    return arn if arn.startswith("arn:") and arn.count(":") >= 5 else ""


def check_arn(arn: str) -> None:
    """
    Raise EntityError (INVALID_INPUT) for what is no ARN of a resource that can have a policy here: an object's, which has
    its bucket's; a role's, which has its trust policy.
    """
    if len(arn) > RESOURCE_ARN or _ARN.fullmatch(arn) is None:
        raise EntityError(Reason.INVALID_INPUT, "Expected the ARN of one resource, without wildcards.")
    if Arn.parse(arn).service in _NOT_OURS:
        message = "The policies of IAM, STS and Organizations are not kept with resources."
        raise EntityError(Reason.INVALID_INPUT, message)
    if arn.startswith(BUCKET_PREFIX) and bucket_name(arn) is None:
        raise EntityError(Reason.INVALID_INPUT, "An object has no policy of its own; expected the ARN of its bucket.")
