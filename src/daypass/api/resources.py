# SPDX-License-Identifier: Apache-2.0
"""
What an operation acts on: the ARN, the owner and the tags of its resource, before anybody has been permitted anything
(Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access Management").

A resource that does not exist has an ARN all the same, so that a denial says the same whether it exists or not. The
functions that say what an operation's resource is stand beside its rows, in ``daypass.api.table``.
"""

from __future__ import annotations

from collections.abc import Callable

from daypass.access import Caller, Resource
from daypass.access.resource import NO_KEYS
from daypass.awsapi.parameters import Parameters
from daypass.store import View

__all__ = ["NO_KEYS", "Resource", "ResourceOf", "everything"]

ResourceOf = Callable[[Parameters, Caller, View], Resource]
"""From the checked parameters, the caller and the view."""


def everything(_parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """Operations without resource-level permissions."""
    return Resource("*", caller.principal.account)
