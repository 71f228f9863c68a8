# SPDX-License-Identifier: Apache-2.0
"""SQS (Service Authorization Reference, "Amazon SQS"; SQS Developer Guide, "Amazon SQS API permissions")."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.rules import Asked, Resources, Rule, invalid, named, on, own_arn
from daypass.gateway.asking import Needed

_NAME: Final = r"[A-Za-z0-9_-]{1,80}(?:\.fifo)?"
QUEUE: Final = Resources("{}", re.compile(_NAME, re.ASCII))
_URL: Final = re.compile(rf"https?://[A-Za-z0-9.:\[\]-]{{1,255}}/([0-9]{{12}})/({_NAME})", re.ASCII)
_SOURCE = own_arn("SourceArn", _NAME)


def _queue(asked: Asked) -> Sequence[str]:
    """The queue of a URL. Whatever its host: it is the path that backends look at, and the account must be their own."""
    match = _URL.fullmatch(asked.text("QueueUrl"))
    if match is None or match.group(1) != asked.account:
        raise invalid("QueueUrl", f"a URL that ends in /{asked.account}/ and the queue's name")
    return (QUEUE.of_name(asked, match.group(2), "QueueUrl"),)


def _queue_of_owner(asked: Asked) -> Sequence[str]:
    if asked.has("QueueOwnerAWSAccountId") and asked.text("QueueOwnerAWSAccountId") != asked.account:
        raise invalid("QueueOwnerAWSAccountId", f"the account {asked.account}")
    return (QUEUE.of_name(asked, asked.text("QueueName"), "QueueName"),)


def _move(asked: Asked) -> Sequence[Needed]:
    """What the task does is done for whoever starts it (Developer Guide, "dead-letter queue redrive permissions")."""
    if not asked.has("DestinationArn"):
        raise RequestError(
            Reason.UNSUPPORTED_OPERATION, "StartMessageMoveTask without DestinationArn is not supported here."
        )
    (source,), (destination,) = _SOURCE(asked), own_arn("DestinationArn", _NAME)(asked)
    actions = ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    return [*(Needed(f"sqs:{action}", source) for action in actions), Needed("sqs:SendMessage", destination)]


ROWS: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(
        (
            *("AddPermission", "RemovePermission", "ChangeMessageVisibility", "DeleteMessage", "DeleteQueue"),
            *("GetQueueAttributes", "ListDeadLetterSourceQueues", "ListQueueTags", "PurgeQueue", "ReceiveMessage"),
            *("SendMessage", "SetQueueAttributes", "TagQueue", "UntagQueue"),
        ),
        on(_queue),
    ),
    "SendMessageBatch": on(_queue, action="SendMessage"),
    "DeleteMessageBatch": on(_queue, action="DeleteMessage"),
    "ChangeMessageVisibilityBatch": on(_queue, action="ChangeMessageVisibility"),
    "CreateQueue": on(named("QueueName", QUEUE), tagging="TagQueue"),
    "GetQueueUrl": on(_queue_of_owner),
    "ListMessageMoveTasks": on(_SOURCE),
    "StartMessageMoveTask": _move,
}

FORM_NAMES: Final[Mapping[str, str]] = {
    "AWSAccountId": "AWSAccountIds",
    "ActionName": "Actions",
    "Attribute": "Attributes",
    "AttributeName": "AttributeNames",
    "ChangeMessageVisibilityBatchRequestEntry": "Entries",
    "DeleteMessageBatchRequestEntry": "Entries",
    "MessageAttribute": "MessageAttributes",
    "MessageAttributeName": "MessageAttributeNames",
    "MessageSystemAttribute": "MessageSystemAttributes",
    "MessageSystemAttributeName": "MessageSystemAttributeNames",
    "SendMessageBatchRequestEntry": "Entries",
    "TagKey": "TagKeys",
}
"""What the Query protocol calls the parameters of the model (SQS API Reference of the Query protocol; the model has lost it).
Tags are ``Tag`` there, and ``Tags`` or ``tags`` in the model."""
