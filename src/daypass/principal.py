# SPDX-License-Identifier: Apache-2.0
"""
Principals: who a request comes from (IAM User Guide, "AWS JSON policy elements: Principal").

Seven kinds, one frozen class each. A principal says what its ARN, its account and its ``aws:userid`` are; what it may do
is for ``daypass.policy``, and how it became known is for ``daypass.access``.
"""

from __future__ import annotations

import msgspec

from daypass import arn


class Root(msgspec.Struct, frozen=True):
    """The root user of an account. ``for_a_task``: in a session of AssumeRoot, which its task policy limits."""

    account: str
    for_a_task: bool = False

    @property
    def arn(self) -> str:
        """How AWS names it."""
        return arn.root_arn(self.account)

    @property
    def user_id(self) -> str:
        """What ``aws:userid`` is."""
        return self.account


class User(msgspec.Struct, frozen=True):
    """An IAM user. ``path`` begins and ends with a slash; ``unique_id`` begins with AIDA."""

    account: str
    path: str
    name: str
    unique_id: str

    @property
    def arn(self) -> str:
        """How AWS names it."""
        return arn.user_arn(self.account, self.path, self.name)

    @property
    def user_id(self) -> str:
        """What ``aws:userid`` is."""
        return self.unique_id


class RoleSession(msgspec.Struct, frozen=True):
    """A session of a role. ``role_path`` begins and ends with a slash; ``role_id`` begins with AROA."""

    account: str
    role_path: str
    role_name: str
    role_id: str
    session_name: str

    @property
    def arn(self) -> str:
        """How AWS names it."""
        return arn.assumed_role_arn(self.account, self.role_name, self.session_name)

    @property
    def role_arn(self) -> str:
        """The ARN of the role, with its path."""
        return arn.role_arn(self.account, self.role_path, self.role_name)

    @property
    def user_id(self) -> str:
        """What ``aws:userid`` is."""
        return f"{self.role_id}:{self.session_name}"


class FederatedUser(msgspec.Struct, frozen=True):
    """A session made by GetFederationToken, acting for the user (or root) that asked for it."""

    account: str
    name: str
    parent: User | Root

    @property
    def arn(self) -> str:
        """How AWS names it."""
        return arn.federated_user_arn(self.account, self.name)

    @property
    def user_id(self) -> str:
        """What ``aws:userid`` is."""
        return f"{self.account}:{self.name}"


class Service(msgspec.Struct, frozen=True):
    """A service acting for itself: ``sns.amazonaws.com``. It belongs to no account."""

    name: str


class FederatedCaller(msgspec.Struct, frozen=True):
    """Whoever brought a verified proof, for as long as an AssumeRoleWith... call lasts.

    ``provider`` is what a trust policy's ``Federated`` entry is compared with: the provider's ARN.
    """

    provider: str


class Anonymous(msgspec.Struct, frozen=True):
    """Nobody: a request without any credentials."""


Principal = Root | User | RoleSession | FederatedUser | Service | FederatedCaller | Anonymous
AccountPrincipal = Root | User | RoleSession | FederatedUser
"""The kinds that belong to an account and can hold credentials."""
