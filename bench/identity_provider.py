# SPDX-License-Identifier: Apache-2.0
"""An OpenID Connect provider on loopback, with one RSA-2048 key, whose tokens look like a Kubernetes cluster's."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AUDIENCE: Final = "sts.amazonaws.com"
KEY_ID: Final = "8p1q2MZ0vQe4nYc7yF9sXk3TgLw5RbJhUaD6oKiVtE0"
LIFETIME: Final = 3 * 3600
"""Seconds; longer than any run."""


class IdentityProvider:
    """Serves discovery and keys from a thread of this process until ``close``, and signs tokens."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/cluster"
        threading.Thread(target=self._server.serve_forever, name="identity provider", daemon=True).start()

    def public_key_pem(self) -> str:
        """The key that the tokens verify with."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")

    def token(self, number: int, now: float) -> str:
        """A token of the service account with this number: a subject, a pod and a token id of its own."""
        account, namespace = f"worker-{number:04}", f"team-{number % 16:02}"
        claims = {
            "aud": [AUDIENCE],
            "exp": int(now) + LIFETIME,
            "iat": int(now),
            "iss": self.url,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": {
                "namespace": namespace,
                "node": {"name": f"node-{number % 8}", "uid": str(uuid.uuid4())},
                "pod": {"name": f"{account}-7d9c6b5f4-{number:05}", "uid": str(uuid.uuid4())},
                "serviceaccount": {"name": account, "uid": str(uuid.uuid4())},
            },
            "nbf": int(now),
            "sub": f"system:serviceaccount:{namespace}:{account}",
        }
        signed = f"{_encoded({'alg': 'RS256', 'kid': KEY_ID})}.{_encoded(claims)}".encode("ascii")
        signature = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return f"{signed.decode('ascii')}.{_base64url(signature)}"

    def documents(self) -> dict[str, dict[str, object]]:
        """What is published, by path."""
        numbers = self._key.public_key().public_numbers()
        key: dict[str, object] = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": KEY_ID,
            "n": _base64url(numbers.n.to_bytes(256, "big")),
            "e": _base64url(numbers.e.to_bytes(3, "big")),
        }
        discovery: dict[str, object] = {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return {"/cluster/.well-known/openid-configuration": discovery, "/cluster/keys": {"keys": [key]}}

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def _handler(provider: IdentityProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document = provider.documents().get(self.path)
            body = json.dumps(document).encode()
            self.send_response(200 if document is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Nothing is logged."""

    return Handler


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _encoded(members: dict[str, object]) -> str:
    return _base64url(json.dumps(members, separators=(",", ":")).encode())
