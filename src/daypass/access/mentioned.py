# SPDX-License-Identifier: Apache-2.0
"""Whether any policy that bounds a caller asks for a condition key that is costly to find out (an object's tags, say)."""

from __future__ import annotations

import functools

from daypass.access.authenticate import Caller
from daypass.access.authorize import layers_of
from daypass.access.resource import Resource
from daypass.policy import Layers, NamedPolicy, Policy
from daypass.store import View


def is_mentioned(prefix: str, caller: Caller, resource: Resource, view: View) -> bool:
    """Whether a policy asks for a key that begins with ``prefix`` (lower case), in a condition or as a variable."""
    return any(_mentions(named.policy, prefix) for named in _policies(layers_of(caller, resource, view)))


def _policies(layers: Layers) -> list[NamedPolicy]:
    found = [*layers.identity, *(layers.session or ())]
    found += [one for one in (layers.boundary, layers.resource, layers.vpc_endpoint) if one is not None]
    for level in (*(layers.scps or ()), *(layers.rcps or ())):
        found += level.policies
    return found


@functools.lru_cache(maxsize=8192)
def _mentions(policy: Policy, prefix: str) -> bool:
    return any(key.lower().startswith(prefix) for key in policy.context_keys)
