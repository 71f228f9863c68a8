# SPDX-License-Identifier: Apache-2.0
"""
What our own issuers publish, for everybody: ``/oidc/{account}/.well-known/openid-configuration`` and ``jwks.json`` beside it
(OpenID Connect Discovery 1.0, section 4; AWS's issuers have their key sets under the same name).

An account without an issuer, and one whose issuer was disabled and whose last token has expired, is not found.
"""

from __future__ import annotations

import re
from typing import Final

from daypass.clock import Clock
from daypass.doorway.received import Receive, Scope, Send
from daypass.doorway.reports import DoorLog, request_id
from daypass.issuer import TokenIssuer

ISSUERS: Final = b"/oidc/"
"""What the paths of all issuers begin with."""

MAX_AGE: Final = 900
"""Seconds that a document may be kept, as long as we keep those of others. Far below what a new key waits to be used."""

_PATH: Final = re.compile(rb"/oidc/([0-9]{12})/\.well-known/(openid-configuration|jwks(?:\.json)?)")
_JSON: Final = (b"content-type", b"application/json")


class IssuerDocuments:
    """The ASGI application that answers below ``/oidc/``."""

    def __init__(self, issuer: TokenIssuer, clock: Clock, log: DoorLog) -> None:
        self._issuer = issuer
        self._clock = clock
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - bodies are not read
        """Answer one request: GET or HEAD, whatever the query."""
        identifier = request_id()
        status, headers, body = 405, [(b"allow", b"GET, HEAD")], b'{"error": "method not allowed"}\n'
        if scope["method"] in ("GET", "HEAD"):
            try:
                status, headers, body = self._document(scope["raw_path"])
            except Exception as error:  # noqa: BLE001 - INVARIANT: whatever it is, it is a refusal
                self._log.failed(request_id=identifier, operation="issuer documents", error=error)
                status, headers, body = 500, [], b'{"error": "internal failure"}\n'
        headers += [_JSON, (b"content-length", b"%d" % len(body)), (b"x-amzn-requestid", identifier.encode("ascii"))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _document(self, path: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        asked = _PATH.fullmatch(path)
        documents = None if asked is None else self._issuer.documents(asked[1].decode("ascii"), self._clock())
        if asked is None or documents is None:
            return 404, [(b"cache-control", b"no-store")], b'{"error": "not found"}\n'
        body = documents.configuration if asked[2] == b"openid-configuration" else documents.key_set
        cached = (b"cache-control", b"public, max-age=%d" % MAX_AGE)
        return 200, [cached, (b"x-content-type-options", b"nosniff")], body
