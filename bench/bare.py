# SPDX-License-Identifier: Apache-2.0
"""
The bare server: the least that any server must do for these calls, on the very configuration that daypass runs on.

It reads the form, verifies the one signature for real (RS256 over the token, or Signature Version 4 over the request as
botocore signs it), and answers bytes that daypass once answered. Nothing is remembered between requests, and nothing is
checked that the cryptography does not check: no claim, no clock, no trust policy, no session token, no second header.

``python -m bench.bare FILE`` serves until it is stopped, and says where in one line of JSON. The file (written by
``bench.targets``) has the provider's public key, the secrets of the access keys and the answers.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
import sys
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote_plus

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from uvicorn import Config, Server

from daypass.doorway.received import Receive, Scope, Send
from daypass.server import process
from daypass.server.settings import Listen, Settings

Headers = list[tuple[bytes, bytes]]
_PADDING = padding.PKCS1v15()
_SHA256 = hashes.SHA256()
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class Bare:
    """The ASGI application. ``content`` is what the file holds."""

    def __init__(self, content: dict[str, Any]) -> None:
        key = load_pem_public_key(content["public_key"].encode())
        if not isinstance(key, RSAPublicKey):
            raise TypeError("expected an RSA key")
        self._key = key
        self._secrets = {name.encode(): b"AWS4" + secret.encode() for name, secret in content["secrets"].items()}
        self._answers = {
            name: ([(k.encode(), v.encode()) for k, v in answer["headers"]], answer["body"].encode())
            for name, answer in content["answers"].items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await lifespan(receive, send)
            return
        message = await receive()
        body: bytes = message["body"]
        while message["more_body"]:
            message = await receive()
            body += message["body"]
        form = parse(body)
        operation = form["Action"]
        if operation == "AssumeRoleWithWebIdentity":
            genuine = self._token_signed(form["WebIdentityToken"])
        else:
            genuine = self._signed(dict(scope["headers"]), body)
        headers, answer = self._answers[operation]
        await send({"type": "http.response.start", "status": 200 if genuine else 403, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _token_signed(self, token: str) -> bool:
        """RS256 (RFC 7518 section 3.3); all three segments are decoded."""
        signed, _, signature = token.rpartition(".")
        header, _, payload = signed.partition(".")
        if not (decoded(header) and decoded(payload)):
            return False
        try:
            self._key.verify(decoded(signature), signed.encode(), _PADDING, _SHA256)
        except InvalidSignature:
            return False
        return True

    def _signed(self, headers: dict[bytes, bytes], body: bytes) -> bool:
        """Signature Version 4 over a POST to ``/`` with the four headers that botocore signs."""
        scope, _, rest = headers[b"authorization"][len("AWS4-HMAC-SHA256 Credential=") :].partition(b", SignedHeaders=")
        names, _, signature = rest.partition(b", Signature=")
        key_id, date, region, service, _ = scope.split(b"/")
        timestamp = headers[b"x-amz-date"]
        canonical = b"POST\n/\n\ncontent-type:%b\nhost:%b\nx-amz-date:%b\nx-amz-security-token:%b\n\n%b\n%b" % (
            headers[b"content-type"],
            headers[b"host"],
            timestamp,
            headers[b"x-amz-security-token"],
            names,
            hashlib.sha256(body).hexdigest().encode(),
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


def parse(body: bytes) -> dict[str, str]:
    """The parameters of a well-formed form; half the time of ``urllib.parse.parse_qsl``."""
    form = {}
    for pair in body.decode("ascii").split("&"):
        name, _, value = pair.partition("=")
        form[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return form


def decoded(segment: str) -> bytes:
    """The bytes of a base64url text without padding."""
    return binascii.a2b_base64(segment.encode().translate(_URL_SAFE) + b"==")


async def lifespan(receive: Receive, send: Send) -> None:
    """Answer the events of a server that starts and stops."""
    for state in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{state}.complete"})


def config_of(application: object) -> Config:
    """How a bare application is served."""
    # INVARIANT: the configuration is the product's own, with only the application exchanged, so it cannot drift from it.
    return process._uvicorn(Settings(), cast(Any, application))


def main() -> None:
    """Serve until stopped."""
    content = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    listener = process._bind(Listen(host="127.0.0.1", port=0), "bare")
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)
    Server(config_of(Bare(content))).run([listener])


if __name__ == "__main__":
    main()
