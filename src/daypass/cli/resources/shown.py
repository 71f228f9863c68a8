# SPDX-License-Identifier: Apache-2.0
"""How resources are shown."""

from __future__ import annotations

import datetime
from typing import Any

from msgspec.structs import asdict

from daypass.resources import (
    bucket_arn,
    bucket_name,
    is_public,
    managed_aspects,
    named_policy,
    recorded_owner,
    shown_policy,
)
from daypass.store import PublicAccess, ResourcePolicy, View

NONE = "-"


def every_arn(view: View) -> list[str]:
    """The ARNs of all resources of which anything is kept, sorted."""
    buckets = {bucket_arn(bucket.name) for bucket in view.buckets.all()}
    return sorted(buckets | {policy.arn for policy in view.resource_policies.all()})


def resource(arn: str, view: View) -> dict[str, Any]:
    """A resource, as JSON shows it. ``owner`` is None where nobody is recorded: it is the backend's account."""
    name = bucket_name(arn)
    bucket = None if name is None else view.buckets.with_key(name)
    policy = view.resource_policies.with_key(arn)
    return {
        "arn": arn,
        "owner": recorded_owner(arn, view),
        "backend": None if bucket is None else bucket.backend or None,
        "created_at": None if bucket is None else _instant(bucket.created_at),
        "public_access": None if bucket is None else settings(bucket.public_access),
        "policy": None if policy is None else _policy(policy, view),
        "managed_by_file": list(managed_aspects(arn, view)),
    }


def settings(found: PublicAccess | None) -> dict[str, bool] | None:
    """A public access block, as JSON shows it."""
    return None if found is None else asdict(found)


def settings_line(found: dict[str, bool] | None) -> str:
    """The settings that are on, in one line."""
    return ", ".join(name for name, on in (found or {}).items() if on) or NONE


def _policy(policy: ResourcePolicy, view: View) -> dict[str, Any]:
    return {
        "document": shown_policy(policy, view),
        "public": is_public(named_policy(policy).policy),
        "created_at": _instant(policy.created_at),
        "updated_at": _instant(policy.updated_at),
    }


def policy_word(found: dict[str, Any] | None) -> str:
    """Whether a resource has a policy, and a public one."""
    return NONE if found is None else "public policy" if found["public"] else "policy"


def _instant(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()
