# SPDX-License-Identifier: Apache-2.0
"""
The packed size of session policies and tags (STS API: PackedPolicySize, PackedPolicyTooLarge).

AWS packs them in a format that it does not publish; ours is deflate, and the percentage is of 1,536 bytes.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Final

from daypass.errors import Reason, RequestError
from daypass.policy.limits import SESSION_POLICY

PACKED_BYTES: Final = 1536


def packed_policy_size(policy: str | None, policy_arns: Sequence[str], tags: Mapping[str, str]) -> int | None:
    """
    The share of the allotted space in per cent, rounded up; None when nothing was passed.

    Raises RequestError when the plain text or the packed form is too large.
    """
    if policy is None and not policy_arns and not tags:
        return None
    if len(policy or "") + sum(map(len, policy_arns)) > SESSION_POLICY:
        raise RequestError(
            Reason.PACKED_POLICY_TOO_LARGE, f"Session policies are longer than {SESSION_POLICY} characters."
        )
    parts = [policy or "", *policy_arns, *(f"{key}={value}" for key, value in sorted(tags.items()))]
    share = packed_share("\0".join(parts))
    if share > 100:
        what = "policy" if policy or policy_arns else "size of session tags"
        ending = ", please use smaller policy." if policy or policy_arns else "."
        raise RequestError(Reason.PACKED_POLICY_TOO_LARGE, f"Packed {what} consumes {share}% of allotted space{ending}")
    return share


def packed_share(text: str) -> int:
    """The share of the allotted space that a text takes, in per cent, rounded up; it may be more than all of it."""
    return math.ceil(100 * len(zlib.compress(text.encode(), 9)) / PACKED_BYTES)
