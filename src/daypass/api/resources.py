# SPDX-License-Identifier: Apache-2.0
"""
What an operation acts on: the ARN, the owner and the tags of its resource, before anybody has been permitted anything
(Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access Management").

A resource that does not exist has an ARN all the same, so that a denial says the same whether it exists or not. The
functions that say what an operation's resource is stand beside its rows, in ``daypass.api.table``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from daypass.access import Caller
from daypass.awsapi.parameters import Parameters
from daypass.identity import ContextValue
from daypass.store import View

NO_KEYS: Final[Mapping[str, ContextValue]] = {}


class Resource(msgspec.Struct, frozen=True):
    """
    One resource of a decision. ``account`` is its owner's; ``tags`` are those it has now.

    ``shown`` is the ARN that a denial names, where the real one says more than the caller did. ``keys`` are condition keys
    of this operation on this resource, in lower case, each with a row in ``daypass.access.context.KEYS``.
    """

    arn: str
    account: str
    tags: tuple[tuple[str, str], ...] = ()
    shown: str | None = None
    keys: Mapping[str, ContextValue] = NO_KEYS


ResourceOf = Callable[[Parameters, Caller, View], Resource]
"""From the checked parameters, the caller and the view."""


def everything(_parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """Operations without resource-level permissions."""
    return Resource("*", caller.principal.account)
