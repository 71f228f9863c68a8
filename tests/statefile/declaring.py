# SPDX-License-Identifier: Apache-2.0
"""State files as tests write them, applied to a lake (``resources.lake``)."""

from __future__ import annotations

import json
from typing import Any

from daypass.statefile import Desired, Difference, apply, read_desired
from daypass.store import Bucket, ResourcePolicy, View
from resources.lake import ARN, BUCKET, NOW, OTHER, OWNER, Lake, document, statement

NEW = "arn:aws:s3:::new"
QUEUE = f"arn:aws:sqs:us-east-1:{OWNER}:jobs"
THING = "arn:aws:things:::thing/1"
NOBODY = f"arn:aws:iam::{OTHER}:user/nobody"
BLOCK = {"block_public_acls": True}
SHARED = json.loads(document(statement(principal={"AWS": OTHER})))


def wants(*resources: dict[str, Any], **more: Any) -> Desired:
    """A state file of these resources, each in a line of its own."""
    entries = "".join(f"\n- {json.dumps(one)}" for one in resources)
    rest = "".join(f"\n{name}: {json.dumps(value)}" for name, value in more.items())
    return read_desired(f"version: 1\nresources:{entries or ' []'}{rest}", "'f'", str)


async def applied(lake: Lake, *resources: dict[str, Any], **more: Any) -> list[tuple[str, str, str]]:
    """What applying it changed: action, aspect, target."""
    return shown(await apply(lake.store, wants(*resources, **more), "/f", now=NOW))


def shown(found: Difference) -> list[tuple[str, str, str]]:
    return [(change.action, change.aspect, change.target) for change in found.changes]


def bucket(lake: Lake, name: str = BUCKET) -> Bucket:
    found = lake.store.view().buckets.with_key(name)
    assert found is not None
    return found


def policy(lake: Lake, arn: str = ARN) -> ResourcePolicy | None:
    return lake.store.view().resource_policies.with_key(arn)


def everything(view: View) -> dict[str, Any]:
    """All that a state file can change, and the marks."""
    kept = (view.buckets, view.resource_policies, view.account_public_access, view.managed, view.state_files)
    return {one.key: one for records in kept for one in records.all()}
