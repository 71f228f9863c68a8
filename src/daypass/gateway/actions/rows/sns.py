# SPDX-License-Identifier: Apache-2.0
"""SNS (Service Authorization Reference, "Amazon SNS"; SNS API Reference)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.rules import Asked, Resources, Rule, named, on, own_arn

_NAME: Final = r"[A-Za-z0-9_-]{1,256}(?:\.fifo)?"
TOPIC: Final = Resources("{}", re.compile(_NAME, re.ASCII))
_TOPIC = own_arn("TopicArn", _NAME)
_RESOURCE = own_arn("ResourceArn", _NAME)
_SUBSCRIPTION = own_arn("SubscriptionArn", rf"{_NAME}:[A-Za-z0-9-]{{1,64}}")
_TARGET = own_arn("TargetArn", _NAME, rf"endpoint/[A-Z_]{{1,32}}/{_NAME}/[A-Za-z0-9-]{{1,64}}")


def _subscribed(asked: Asked) -> Sequence[str]:
    """The topic of a subscription: the reference has no other resource type."""
    (arn,) = _SUBSCRIPTION(asked)
    return (arn.rpartition(":")[0],)


def _published(asked: Asked) -> Sequence[str]:
    if asked.has("PhoneNumber") or asked.has("TopicArn") == asked.has("TargetArn"):
        raise RequestError(
            Reason.UNSUPPORTED_OPERATION,
            "Publish is supported here with either TopicArn or TargetArn, and nothing else.",
        )
    return _TOPIC(asked) if asked.has("TopicArn") else _TARGET(asked)


ROWS: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(
        (
            *("AddPermission", "RemovePermission", "ConfirmSubscription", "DeleteTopic", "GetTopicAttributes"),
            *("SetTopicAttributes", "ListSubscriptionsByTopic", "Subscribe"),
        ),
        on(_TOPIC),
    ),
    "CreateTopic": on(named("Name", TOPIC), tagging="TagResource", refused=("DataProtectionPolicy",)),
    "Publish": on(_published),
    "PublishBatch": on(_TOPIC, action="Publish"),
    **dict.fromkeys(("GetSubscriptionAttributes", "SetSubscriptionAttributes", "Unsubscribe"), on(_subscribed)),
    **dict.fromkeys(
        (
            *("TagResource", "UntagResource", "ListTagsForResource"),
            *("GetDataProtectionPolicy", "PutDataProtectionPolicy"),
        ),
        on(_RESOURCE),
    ),
}
