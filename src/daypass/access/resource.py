# SPDX-License-Identifier: Apache-2.0
"""What a decision is about: one resource, with its owner, its tags and its own policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from daypass.identity import ContextValue
from daypass.policy import NamedPolicy

NO_KEYS: Final[Mapping[str, ContextValue]] = {}
Tags = tuple[tuple[str, str], ...]


class Resource(msgspec.Struct, frozen=True):
    """
    One resource of a decision. ``account`` is its owner's; ``tags`` are those it has now.

    - ``shown``: the ARN that a denial names, where the real one says more than the caller did.
    - ``keys``: condition keys of this operation on this resource, in lower case, each with a row in ``context.KEYS``.
    - ``policy``: the resource's own, if it has one; ``trust_required``: that policy must name the caller or its account.
    - ``owner_policy``: an identity policy that the caller has besides its own, for it owns the resource.
    - ``reasonless``: a denial does not say which policy was silent, for that would say whether the resource exists.
    """

    arn: str
    account: str
    tags: Tags = ()
    shown: str | None = None
    keys: Mapping[str, ContextValue] = NO_KEYS
    policy: NamedPolicy | None = None
    trust_required: bool = False
    reasonless: bool = False
    owner_policy: str | None = None
