# SPDX-License-Identifier: Apache-2.0
"""What becomes of one request at the gateway, as it becomes known: for its answer, its record and its figures."""

from __future__ import annotations

import msgspec

from daypass.access.authenticate import AuthenticatedForm, AuthenticatedHead
from daypass.errors import DaypassError
from daypass.gateway.asking import AskedOperation
from daypass.gateway.backends import Backend
from daypass.gateway.bodies import ClientBody, VerifiedPieces
from daypass.gateway.decision import Allowed
from daypass.gateway.denials import DenialForm
from daypass.gateway.incoming import Head
from daypass.sigv4 import Body


class Exchange(msgspec.Struct, eq=False):
    """
    One request and its answer. What is not known yet is None, or empty.

    - ``began``: a monotonic instant; ``at``: the clock's, before the request was read.
    - ``status``, ``sent``: of the answer, and bytes of its body that have gone out.
    - ``code``: what the answer was: empty for a backend's own; an error code of ours. ``error``: what was refused.
    - ``more_headers``: to be sent on instead of the caller's of the same name.
    - ``content``: the whole body, where it was read to decide; ``pieces``: the body on its way to the backend.
    """

    request_id: str
    began: float
    method: str
    at: float
    status: int = 0
    sent: int = 0
    head: Head | None = None
    backend: Backend | None = None
    form: DenialForm | None = None
    authenticated: AuthenticatedHead | AuthenticatedForm | None = None
    operation: AskedOperation | None = None
    allowed: Allowed | None = None
    body: Body | None = None
    source: ClientBody | None = None
    content: bytes | None = None
    pieces: VerifiedPieces | None = None
    error: DaypassError | None = None
    more_headers: tuple[tuple[bytes, bytes], ...] = ()
    code: str = ""
    client_gone: bool = False

    def __repr__(self) -> str:
        return f"Exchange({self.request_id!r})"

    @property
    def resource(self) -> str:
        """The path as it was asked for, for S3's errors."""
        return "" if self.head is None else self.head.raw.path.decode("latin-1")

    @property
    def presigned(self) -> bool:
        """Whether the credential came in the query."""
        return self.authenticated is not None and self.authenticated.verified.presigned

    @property
    def unread(self) -> ClientBody | None:
        """The body of the request, when some of it may still come."""
        return None if self.source is None or self.source.at_end else self.source
