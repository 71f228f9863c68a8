# SPDX-License-Identifier: Apache-2.0
"""CloudWatch Logs (Service Authorization Reference, "Amazon CloudWatch Logs").

AWS decides about a log group by the ARN ``log-group:NAME:log-stream:``, the form that its denials show, so that the usual
pattern ``log-group:NAME:*`` covers both the group and its streams. Tags are on ``log-group:NAME``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.rules import Asked, Rule, invalid, on, own_arn, own_resource

_GROUP_NAME: Final = "[A-Za-z0-9_/.#-]{1,512}"
_GROUP: Final = re.compile(_GROUP_NAME, re.ASCII)
_STREAM: Final = re.compile(r"[^:*\x00-\x1f\x7f]{1,512}")


def _group(asked: Asked) -> str:
    """``log-group:NAME``, from the one parameter that says which."""
    said = [name for name in ("logGroupName", "logGroupIdentifier", "resourceIdentifier") if asked.has(name)]
    if len(said) != 1:
        raise RequestError(
            Reason.UNSUPPORTED_OPERATION,
            f"{asked.operation} is supported here with one parameter that names a log group.",
        )
    text = asked.text(said[0])
    if text.startswith("arn:") and said[0] != "logGroupName":
        resource = own_resource(asked, text, said[0])
        if not resource.startswith("log-group:"):
            raise invalid(said[0], "the ARN of a log group")
        text = resource.removeprefix("log-group:").removesuffix(":*")
    if _GROUP.fullmatch(text) is None:
        raise invalid(said[0], "the name of a log group")
    return f"log-group:{text}"


def _on_group(asked: Asked) -> Sequence[str]:
    return (asked.arn(f"{_group(asked)}:log-stream:"),)


def _on_stream(asked: Asked) -> Sequence[str]:
    stream = asked.text("logStreamName")
    if _STREAM.fullmatch(stream) is None:
        raise invalid("logStreamName", "the name of a log stream")
    return (asked.arn(f"{_group(asked)}:log-stream:{stream}"),)


ROWS: Final[Mapping[str, Rule]] = {
    "CreateLogGroup": on(_on_group, tagging="TagResource", refused=("kmsKeyId",)),
    **dict.fromkeys(
        (
            *("DeleteLogGroup", "DescribeLogStreams", "DescribeMetricFilters", "DescribeSubscriptionFilters"),
            *(
                "FilterLogEvents",
                "PutRetentionPolicy",
                "DeleteRetentionPolicy",
                "PutMetricFilter",
                "DeleteMetricFilter",
            ),
            *("DeleteSubscriptionFilter", "GetDataProtectionPolicy", "PutDataProtectionPolicy", "GetLogGroupFields"),
            *("DeleteDataProtectionPolicy", "GetTransformer", "PutTransformer", "DeleteTransformer"),
            *("PutLogGroupDeletionProtection", "ListTagsLogGroup", "TagLogGroup", "UntagLogGroup"),
        ),
        on(_on_group),
    ),
    **dict.fromkeys(("CreateLogStream", "DeleteLogStream", "PutLogEvents", "GetLogEvents"), on(_on_stream)),
    **dict.fromkeys(
        ("TagResource", "UntagResource", "ListTagsForResource"),
        on(own_arn("resourceArn", f"log-group:{_GROUP_NAME}")),
    ),
}
