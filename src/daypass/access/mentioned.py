# SPDX-License-Identifier: Apache-2.0
"""Whether any policy that bounds a caller asks for a condition key that is costly to find out (an object's tags, say)."""

from __future__ import annotations

from daypass.access.authenticate import Caller
from daypass.access.own_side import mentions, own_side, policies_in
from daypass.access.resource import Resource
from daypass.store import View


def may_be_mentioned(prefix: str, caller: Caller, view: View) -> bool:
    """Whether a policy may ask for such a key on some resource: a quick no for ``is_mentioned`` on every one of them."""
    own = own_side(caller, view)
    return not own.alone or own.asks_for(prefix)


def is_mentioned(prefix: str, caller: Caller, resource: Resource, view: View) -> bool:
    """Whether a policy asks for a key that begins with ``prefix`` (lower case), in a condition or as a variable."""
    own = own_side(caller, view)
    if own.asks_for(prefix):
        return True
    layers = own.layers_for(resource, view)
    return layers is not own.layers and any(mentions(named.policy, prefix) for named in policies_in(layers))
