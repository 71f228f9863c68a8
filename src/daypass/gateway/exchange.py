# SPDX-License-Identifier: Apache-2.0
"""What becomes of one request at the gateway, as it becomes known: for its answer, its record and its figures."""

from __future__ import annotations

from daypass.access.authenticate import AuthenticatedForm, AuthenticatedHead
from daypass.errors import DaypassError
from daypass.gateway.asking import AskedOperation
from daypass.gateway.backends import Backend
from daypass.gateway.bodies import ClientBody, VerifiedPieces
from daypass.gateway.decision import Allowed
from daypass.gateway.denials import DenialForm
from daypass.gateway.incoming import Head
from daypass.sigv4 import Body


class Exchange:
    """
    One request and its answer. What is not known yet is None, or empty.

    - ``began``: a monotonic instant; ``at``: the clock's, before the request was read.
    - ``status``, ``sent``: of the answer, and bytes of its body that have gone out.
    - ``code``: what the answer was: empty for a backend's own; an error code of ours. ``error``: what was refused.
    - ``more_headers``: to be sent on instead of the caller's of the same name.
    - ``content``: the whole body, where it was read to decide; ``pieces``: the body on its way to the backend.
    """

    __slots__ = (
        "allowed",
        "at",
        "authenticated",
        "backend",
        "began",
        "body",
        "client_gone",
        "code",
        "content",
        "error",
        "form",
        "head",
        "method",
        "more_headers",
        "operation",
        "pieces",
        "request_id",
        "sent",
        "source",
        "status",
    )

    def __init__(self, request_id: str, began: float, method: str, at: float) -> None:
        self.request_id = request_id
        self.at = at
        self.began = began
        self.method = method
        self.status = 0
        self.sent = 0
        self.head: Head | None = None
        self.backend: Backend | None = None
        self.form: DenialForm | None = None
        self.authenticated: AuthenticatedHead | AuthenticatedForm | None = None
        self.operation: AskedOperation | None = None
        self.allowed: Allowed | None = None
        self.body: Body | None = None
        self.source: ClientBody | None = None
        self.content: bytes | None = None
        self.pieces: VerifiedPieces | None = None
        self.error: DaypassError | None = None
        self.more_headers: tuple[tuple[bytes, bytes], ...] = ()
        self.code = ""
        self.client_gone = False

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
