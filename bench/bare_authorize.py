# SPDX-License-Identifier: Apache-2.0
"""
The bare answer to the question of a proxy: the least that any server must do for it, on daypass's own configuration.

It verifies the signature of the request that nginx asks about for real (Signature Version 4 over the head, with the key
derived each time, as in ``bench.bare``), and answers bytes that daypass once answered. Nothing is remembered between
requests, and nothing is checked that the cryptography does not check: no secret of a proxy, no clock, no session token, no
policy, no second header.

``python -m bench.bare_authorize FILE`` serves until it is stopped, and says where in one line of JSON. The file (written by
``bench.enforcement_servers``) has the secrets of the access keys and the headers of the answer.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from pathlib import Path
from typing import Any

from uvicorn import Server

from bench.bare import config_of, lifespan
from daypass.doorway.received import Receive, Scope, Send
from daypass.server import process
from daypass.server.settings import Listen


class BareAuthorize:
    """The ASGI application. ``content`` is what the file holds."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._secrets = {name.encode(): b"AWS4" + secret.encode() for name, secret in content["secrets"].items()}
        self._headers = [(name.encode(), value.encode()) for name, value in content["headers"]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one question."""
        if scope["type"] != "http":
            await lifespan(receive, send)
            return
        status = 200 if self._signed(dict(scope["headers"])) else 403
        await send({"type": "http.response.start", "status": status, "headers": self._headers})
        await send({"type": "http.response.body", "body": b""})

    def _signed(self, headers: dict[bytes, bytes]) -> bool:
        """Signature Version 4 over a request without a query, with the four headers that botocore signs for S3."""
        scope, _, rest = headers[b"authorization"][len("AWS4-HMAC-SHA256 Credential=") :].partition(b", SignedHeaders=")
        names, _, signature = rest.partition(b", Signature=")
        key_id, date, region, service, _ = scope.split(b"/")
        timestamp, payload = headers[b"x-amz-date"], headers[b"x-amz-content-sha256"]
        canonical = b"%b\n%b\n\nhost:%b\nx-amz-content-sha256:%b\nx-amz-date:%b\nx-amz-security-token:%b\n\n%b\n%b" % (
            headers[b"x-original-method"],
            headers[b"x-original-uri"],
            headers[b"host"],
            payload,
            timestamp,
            headers[b"x-amz-security-token"],
            names,
            payload,
        )
        text = b"AWS4-HMAC-SHA256\n%b\n%b\n%b" % (
            timestamp,
            scope[len(key_id) + 1 :],
            hashlib.sha256(canonical).hexdigest().encode(),
        )
        key = hmac.digest(self._secrets[key_id], date, "sha256")
        for part in (region, service, b"aws4_request", text):
            key = hmac.digest(key, part, "sha256")
        return hmac.compare_digest(key.hex().encode(), signature)


def main() -> None:
    """Serve until stopped."""
    content = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    listener = process._bind(Listen(host="127.0.0.1", port=0), "bare")
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)
    Server(config_of(BareAuthorize(content))).run([listener])


if __name__ == "__main__":
    main()
