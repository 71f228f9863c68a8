# SPDX-License-Identifier: Apache-2.0
"""From what is there to a state file that wants it as it is: where whoever begins to use one begins."""

from __future__ import annotations

from typing import Any

from daypass.arn import Arn
from daypass.resources import OWNER, POLICY, PUBLIC_ACCESS, bucket_arn, bucket_name
from daypass.statefile.aspects import ASPECTS, Json
from daypass.store import View


def exported(view: View) -> dict[str, Any]:
    """
    A state file, as JSON shows it, of everything that is kept about resources. Applied to the same store it changes nothing,
    but that the file manages it all from then on. Policies are whole in it.
    """
    arns = {bucket_arn(bucket.name) for bucket in view.buckets.all()}
    arns |= {policy.arn for policy in view.resource_policies.all()}
    blocks = {known.account: _block(known.account, view) for known in view.account_public_access.all()}
    made: dict[str, Any] = {"version": 1, "resources": [_resource(arn, view) for arn in sorted(arns)]}
    return {**made, "public_access_blocks": dict(sorted(blocks.items()))} if blocks else made


def _resource(arn: str, view: View) -> dict[str, Json]:
    made: dict[str, Json] = {"arn": arn}
    policy = view.resource_policies.with_key(arn)
    if bucket_name(arn) is not None:
        if (owner := ASPECTS[OWNER].found(arn, view)) is not None:
            made["owner"] = owner
            made["public_access_block"] = _block(arn, view)
    elif policy is not None and not Arn.parse(arn).account:
        made["owner"] = policy.account
    if policy is not None:
        made["policy"] = ASPECTS[POLICY].found(arn, view)
    return made


def _block(target: str, view: View) -> Json:
    found = ASPECTS[PUBLIC_ACCESS].found(target, view)
    if found is None:
        return "none"
    return "all" if all(found.values()) else {name: on for name, on in found.items() if on} or found
