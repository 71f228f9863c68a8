# SPDX-License-Identifier: Apache-2.0
"""Kinesis Data Streams (Service Authorization Reference, "Amazon Kinesis Data Streams")."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.rules import Asked, Resources, Rule, invalid, named, on, own_arn

_NAME: Final = "[A-Za-z0-9_.-]{1,128}"
STREAM: Final = Resources("stream/{}", re.compile(_NAME, re.ASCII))
_CONSUMER_PART: Final = f"stream/{_NAME}/consumer/{_NAME}:[0-9]{{1,20}}"
_CONSUMER = own_arn("ConsumerARN", _CONSUMER_PART)
_STREAM_ARN = own_arn("StreamARN", f"stream/{_NAME}")
_NEVER: Final = ("StreamId",)


def _stream(asked: Asked) -> Sequence[str]:
    """The stream by its name or its ARN; by both where they agree."""
    if not asked.has("StreamARN") and not asked.has("StreamName"):
        raise RequestError(
            Reason.UNSUPPORTED_OPERATION,
            f"{asked.operation} is supported here with the parameter StreamARN or StreamName.",
        )
    found = {*(_STREAM_ARN(asked) if asked.has("StreamARN") else ())}
    if asked.has("StreamName"):
        found.add(STREAM.of_name(asked, asked.text("StreamName"), "StreamName"))
    if len(found) != 1:
        raise invalid("StreamARN", "the ARN of the stream that StreamName names")
    return tuple(found)


def _consumer(asked: Asked) -> Sequence[str]:
    if asked.has("StreamARN") or asked.has("ConsumerName"):
        raise RequestError(
            Reason.UNSUPPORTED_OPERATION, f"{asked.operation} is supported here with ConsumerARN, and nothing else."
        )
    return _CONSUMER(asked)


ROWS: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(
        (
            *("AddTagsToStream", "RemoveTagsFromStream", "ListTagsForStream", "DeleteStream", "DescribeStream"),
            *("DescribeStreamSummary", "GetRecords", "GetShardIterator", "PutRecord", "PutRecords", "MergeShards"),
            *("SplitShard", "IncreaseStreamRetentionPeriod", "DecreaseStreamRetentionPeriod", "UpdateMaxRecordSize"),
            *("ListStreamConsumers", "UpdateStreamWarmThroughput", "UpdateStreamRecordDistributionStrategy"),
        ),
        on(_stream, refused=_NEVER),
    ),
    "ListShards": on(_stream, refused=(*_NEVER, "NextToken")),
    "CreateStream": on(named("StreamName", STREAM), tagging="TagResource"),
    "RegisterStreamConsumer": on(_stream, tagging="TagResource", refused=_NEVER),
    "SubscribeToShard": on(_CONSUMER, refused=_NEVER),
    **dict.fromkeys(("DescribeStreamConsumer", "DeregisterStreamConsumer"), on(_consumer, refused=_NEVER)),
    **dict.fromkeys(
        (
            *("TagResource", "UntagResource", "ListTagsForResource"),
            *("GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy"),
        ),
        on(own_arn("ResourceARN", f"stream/{_NAME}", _CONSUMER_PART), refused=_NEVER),
    ),
}
