# SPDX-License-Identifier: Apache-2.0
"""
What of a resource a state file manages (docs/state-file.md), and nobody else may change meanwhile.

Each of the three is managed by itself: of a bucket whose policy stands in the file, S3's API may set the public access block.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daypass.errors import AccessDeniedError, Reason
from daypass.resources.naming import bucket_arn
from daypass.store import View

OWNER: Final = "owner"
"""Whose a bucket is; the target is its ARN."""
POLICY: Final = "policy"
"""The policy of a resource; the target is its ARN."""
PUBLIC_ACCESS: Final = "public-access-block"
"""The public access block of a bucket, by its ARN, or of an account, by its number."""

_WORDS: Final[Mapping[str, str]] = {
    OWNER: "the owner",
    POLICY: "the policy",
    PUBLIC_ACCESS: "the public access block",
}


def is_managed(aspect: str, target: str, view: View) -> bool:
    """Whether the state file manages this of that."""
    return view.managed.with_key(f"{aspect}:{target}") is not None


def managed_aspects(target: str, view: View) -> tuple[str, ...]:
    """What of a resource or an account the state file manages."""
    return tuple(aspect for aspect in _WORDS if is_managed(aspect, target, view))


def check_unmanaged(aspect: str, target: str, view: View) -> None:
    """Raise AccessDeniedError (MANAGED_BY_FILE) where only the state file may change this of that."""
    if is_managed(aspect, target, view):
        message = f"Access Denied: {_WORDS[aspect]} of {target} is managed by the state file of this service; change it there."
        raise AccessDeniedError(Reason.MANAGED_BY_FILE, message)


def is_bucket_managed(name: str, view: View) -> bool:
    """Whether the state file manages anything of a bucket: then its record stays, whether or not the bucket is there."""
    return bool(managed_aspects(bucket_arn(name), view))
