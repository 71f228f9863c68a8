# SPDX-License-Identifier: Apache-2.0
"""
What the service remembers, as values: one frozen class per kind of entity.

A record is whole: a role comes with its tags and inline policies, and is written and read as one. Instants are whole
seconds since the epoch. Whether a record makes sense (a policy that parses, a name of the allowed letters) is decided
before it gets here; the store checks only what has to hold across records (``daypass.store.schema``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from daypass import arn

AccessKeyStatus = Literal["Active", "Inactive"]


@dataclass(frozen=True, slots=True)
class Account:
    """An account. ``account_id`` is twelve digits."""

    account_id: str
    created_at: int


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A long-term access key. ``user_id`` is the unique id of its user, or None for the account's root user.

    ``wrapped_secret`` is the secret access key under the master key (``daypass.sealing``); it never stands here in clear.
    """

    access_key_id: str
    account: str
    user_id: str | None
    wrapped_secret: bytes = field(repr=False)
    status: AccessKeyStatus
    created_at: int


@dataclass(frozen=True, slots=True)
class Role:
    """An IAM role with everything that belongs to it.

    - ``path`` begins and ends with a slash; ``unique_id`` begins with AROA and is never used again.
    - ``max_session_duration``: seconds.
    - ``trust_policy``: the text as it was sent.
    - ``trust_principals``: for each principal ARN in the trust policy that named something here, that ARN and the unique
      id it stood for when the policy was written.
    - ``tags``: (key, value) in the order they were given; ``inline_policies``: (name, text as sent) likewise.
    """

    account: str
    path: str
    name: str
    unique_id: str
    description: str | None
    max_session_duration: int
    trust_policy: str
    trust_principals: tuple[tuple[str, str], ...]
    created_at: int
    tags: tuple[tuple[str, str], ...] = ()
    inline_policies: tuple[tuple[str, str], ...] = ()
    arn: str = field(init=False, repr=False, compare=False)
    """``arn:aws:iam::ACCOUNT:role/PATH/NAME``; made once, because every decision asks for it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "arn", arn.role_arn(self.account, self.path, self.name))


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """An OpenID Connect provider. ``url`` is the issuer as registered, with its scheme."""

    account: str
    url: str
    client_ids: tuple[str, ...]
    thumbprints: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    created_at: int
    name: str = field(init=False, repr=False, compare=False)
    """The URL without its scheme: what the ARN and the condition keys call the provider."""
    arn: str = field(init=False, repr=False, compare=False)
    """``arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.url.partition("://")[2])
        object.__setattr__(self, "arn", arn.oidc_provider_arn(self.account, self.name))


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A key of the ring that seals session tokens.

    ``key_id`` is four bytes; ``wrapped`` is the key under the master key. New tokens use it from ``active_from`` until
    ``retire_at`` (None: not yet decided); how much longer it opens old ones is for ``daypass.sealing``.
    """

    key_id: bytes
    wrapped: bytes = field(repr=False)
    created_at: int
    active_from: int
    retire_at: int | None
