# SPDX-License-Identifier: Apache-2.0
"""
The policy of an upload by a form: what the signer allows the form to say (S3 API, "Creating a POST policy").

    { "expiration": "2015-12-30T12:00:00.000Z",
      "conditions": [ {"bucket": "photos"}, ["starts-with", "$key", "user/"], ["content-length-range", 0, 1048576] ] }

Read strictly, because it decides what an unsigned form may do: whatever is unknown, absent or there twice refuses the policy.
"""

from __future__ import annotations

import binascii
import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from daypass.errors import AuthenticationError, ProofError, Reason
from daypass.jsontext import read_json_object
from daypass.sigv4 import limits

LengthRange = tuple[int, int]
"""The least and the most bytes, both included."""

_EXPIRATION: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z", re.ASCII)
_BYTES: Final = re.compile(r"0|[1-9][0-9]{0,14}", re.ASCII)
_MOST_BYTES: Final = 10**15
_NEED_NO_CONDITION: Final = frozenset({"x-amz-signature", "file", "policy"})
_FIELD: Final = re.compile(r"\$[!-~]{1,128}", re.ASCII)


class Condition(msgspec.Struct, frozen=True):
    """That a field (its name in lower case) has a value, or a value that starts so."""

    field: str
    value: str
    prefix: bool


class PostPolicy(msgspec.Struct, frozen=True):
    """A policy as read. ``expires_at``: seconds since the epoch. ``lengths``: each content-length-range."""

    expires_at: int
    conditions: tuple[Condition, ...]
    lengths: tuple[LengthRange, ...]


def read_policy(text: bytes) -> PostPolicy:
    """
    Read a policy as it stands in the form, in base64.

    Raises AuthenticationError (POST_POLICY_MALFORMED) for base64 in another spelling than the one, JSON that readers may read
    differently, a member, condition or operator that is not known, and a value of another type than a string.
    """
    try:
        decoded = binascii.a2b_base64(text, strict_mode=True)
        if binascii.b2a_base64(decoded, newline=False) != text:
            raise _malformed("it is not base64")
        document = read_json_object(decoded)
    except (ValueError, ProofError):
        raise _malformed("it is not JSON in base64") from None
    if document.keys() != {"expiration", "conditions"}:
        raise _malformed("it must have an expiration and conditions, and nothing else")
    written = document["conditions"]
    if not isinstance(written, list) or len(written) > limits.MAX_POST_CONDITIONS:
        raise _malformed("its conditions must be a list, and not too long")
    conditions: list[Condition] = []
    lengths: list[LengthRange] = []
    for one in written:
        if isinstance(one, dict) and one:
            conditions.extend(_exact_matches(one))
        elif isinstance(one, list) and len(one) == 3 and one[0] == "content-length-range":
            lengths.append(_length_range(one[1], one[2]))
        else:
            conditions.append(_match(one))
    return PostPolicy(_instant(document["expiration"]), tuple(conditions), tuple(lengths))


def check_conditions(policy: PostPolicy, fields: Mapping[str, str], bucket: str) -> LengthRange | None:
    """
    What the policy leaves for the length of the file, once fields (names in lower case) and bucket agree with it.

    Every condition holds for a field that is there, and every field has a condition but the signature, the file, the policy
    and x-ignore-*. The bucket has one too: without it the policy would be good for every bucket of the signer.

    Raises AuthenticationError: POST_POLICY_CONDITION, POST_POLICY_UNCOVERED.
    """
    values = {**fields, "bucket": bucket}
    if fields.get("bucket", bucket) != bucket:
        raise _failed("bucket")
    for condition in policy.conditions:
        value = values.get(condition.field)
        if value is None or not _holds(condition, value):
            raise _failed(condition.field)
    named = {condition.field for condition in policy.conditions}
    for name in values:
        if name not in named and name not in _NEED_NO_CONDITION and not name.startswith("x-ignore-"):
            raise AuthenticationError(
                Reason.POST_POLICY_UNCOVERED, f"Invalid according to Policy: Extra input fields: {name[:64]!r}."
            )
    if not policy.lengths:
        return None
    least, most = max(low for low, _ in policy.lengths), min(high for _, high in policy.lengths)
    if least > most:
        raise _failed("content-length-range")
    return least, most


def _holds(condition: Condition, value: str) -> bool:
    if not condition.prefix:
        return value == condition.value
    if condition.field == "content-type":  # AWS reads a list there, every part of which has to start so
        return all(part.startswith(condition.value) for part in value.split(","))
    return value.startswith(condition.value)


def _exact_matches(members: Mapping[str, Any]) -> Iterator[Condition]:
    for name, value in members.items():
        yield _condition(f"${name}", value, prefix=False)


def _match(written: object) -> Condition:
    if not isinstance(written, list) or len(written) != 3 or written[0] not in ("eq", "starts-with"):
        raise _malformed("it has a condition that is not known")
    return _condition(written[1], written[2], prefix=written[0] == "starts-with")


def _condition(name: object, value: object, *, prefix: bool) -> Condition:
    if not isinstance(name, str) or _FIELD.fullmatch(name) is None or not isinstance(value, str):
        raise _malformed("a condition must name a field and a text")
    return Condition(name[1:].lower(), value, prefix)


def _length_range(least: object, most: object) -> LengthRange:
    low, high = _byte_count(least), _byte_count(most)
    if low > high:
        raise _malformed("the content-length-range is empty")
    return low, high


def _byte_count(written: object) -> int:
    if isinstance(written, str) and _BYTES.fullmatch(written):
        return int(written)
    if isinstance(written, int) and not isinstance(written, bool) and 0 <= written < _MOST_BYTES:
        return written
    raise _malformed("a content-length-range has two numbers of bytes")


def _instant(written: object) -> int:
    if not isinstance(written, str) or _EXPIRATION.fullmatch(written) is None:
        raise _malformed("its expiration must be like '2015-12-30T12:00:00.000Z'")
    try:
        moment = datetime.datetime.fromisoformat(written[:19] + "+00:00")
    except ValueError:
        raise _malformed("its expiration is no date") from None
    return int(moment.timestamp())


def _failed(field: str) -> AuthenticationError:
    return AuthenticationError(
        Reason.POST_POLICY_CONDITION, f"Invalid according to Policy: Policy Condition failed for {field[:64]!r}."
    )


def _malformed(why: str) -> AuthenticationError:
    return AuthenticationError(Reason.POST_POLICY_MALFORMED, f"Invalid Policy: {why}.")
