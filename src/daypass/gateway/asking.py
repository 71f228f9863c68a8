# SPDX-License-Identifier: Apache-2.0
"""
What a request for a service behind us asks for: an operation of that service, and the permissions that it needs.

    RawRequest -- ActionMap.operation --> AskedOperation -- decide each Needed --> Allowed, or a denial

Pure. An action map is one per kind of service (``gateway.actions``); it reads the same raw bytes that were signed and that go
to the backend (invariant 2), and knows nothing of who asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec

from daypass.identity import ContextValue
from daypass.sigv4 import RawRequest
from daypass.sigv4.canonical import Parameter

NO_KEYS: Final[Mapping[str, ContextValue]] = {}


class Needed(msgspec.Struct, frozen=True):
    """
    One permission: an IAM action (``s3:GetObject``) on a resource (an ARN, or ``*``).

    ``keys``: the condition keys that this request brings for it, by name in lower case (``s3:prefix``); a key that does not
    apply is absent. Keys of the caller and of the request as such (``aws:...``) are added by whoever decides.
    ``also``: another name by which the backend may take the resource; the action is needed on both. Empty for nearly all.
    """

    action: str
    resource: str
    keys: Mapping[str, ContextValue] = NO_KEYS
    also: str = ""

    @property
    def by_every_name(self) -> tuple[Needed, ...]:
        """The permission on the resource, and the one by its other name if it has one."""
        if not self.also:
            return (self,)
        return (self, msgspec.structs.replace(self, resource=self.also, also=""))


class AskedOperation(msgspec.Struct, frozen=True):
    """
    What is asked.

    - ``service``: the prefix of its IAM actions, ``s3``. ``name``: the operation as AWS names it, ``GetObject``.
    - ``needed``: permissions that are all needed. The first is the one that a denial names when several are missing.
    - ``each``: permissions that are decided apart, where a denial takes one item out of the request and not the request
      (the keys of DeleteObjects, in their order). Empty for nearly all operations.
    - ``owner_arn``: whose resource policy applies and who owns it: the bucket's ARN for S3; empty when there is none.
    - ``read_only``: whether it changes nothing, for the audit trail.
    """

    service: str
    name: str
    needed: tuple[Needed, ...]
    each: tuple[Needed, ...] = ()
    owner_arn: str = ""
    read_only: bool = False


class Incoming(msgspec.Struct, frozen=True):
    """
    A request as an action map reads it.

    - ``raw``: as received. ``parameters``: its query in the order of the wire, names and values encoded canonically
      (``sigv4.canonical.parse_query``; decode with ``percent_decoded``).
    - ``bucket``: the bucket that the host names (``BUCKET.s3.example.org``, virtual-hosted style), decoded; None in path style
      and for all services but S3.
    - ``region``: of the backend; ``account``: whom the backend's resources belong to unless something else is recorded.
    - ``body``: the whole body where ``ActionMap.body_limit`` asked for it; None where it was not read.
    """

    raw: RawRequest
    parameters: Sequence[Parameter]
    region: str
    account: str
    bucket: str | None = None
    body: bytes | None = None


class ActionMap(Protocol):
    """What a kind of service makes of requests."""

    def body_limit(self, incoming: Incoming) -> int | None:
        """
        At most how many bytes of body must be read before it can be said what is asked; None when the body does not matter.

        ``incoming.body`` is None here. Called before the caller is known, so it must be cheap, and raise nothing.
        """

    def operation(self, incoming: Incoming) -> AskedOperation:
        """
        What is asked. Raises RequestError (Reason.UNSUPPORTED_OPERATION where the request is none of the service's, or one
        that is not mapped; Reason.MALFORMED_REQUEST where it is one, malformed): what cannot be named is refused.
        """
