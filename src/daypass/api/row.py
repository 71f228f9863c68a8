# SPDX-License-Identifier: Apache-2.0
"""A row of the table of operations, as the modules of ``daypass.api.table`` write it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from daypass.access import Permitted
from daypass.api.resources import ResourceOf
from daypass.awsapi.parameters import Parameters
from daypass.iam.service import Iam

IamFunction = Callable[[Iam, Permitted, Parameters], Awaitable[Mapping[str, object]]]


class Row(NamedTuple):
    """
    One operation of IAM: its caller must be permitted ``iam:NAME`` on the resource, and what ``also`` says besides.

    ``also``: further actions, each on a resource of its own (AddRoleToInstanceProfile needs ``iam:PassRole`` on the role).
    """

    name: str
    resource: ResourceOf
    function: IamFunction
    also: tuple[tuple[str, ResourceOf], ...] = ()
