# SPDX-License-Identifier: Apache-2.0
"""
An OpenID provider to edit: it listens on this machine, signs with real keys, and says whatever a test makes it say.

Signing is done here with ``cryptography`` alone, so nothing of daypass takes part in making what daypass verifies.

    async with FakeOidcProvider() as provider:
        key = provider.add_key("RS256", "2026-01")
        token = provider.token(sub="alice", aud="client")
        provider.answers["/jwks"] = Answer(status=500)
        assert provider.fetches == ["/.well-known/openid-configuration", "/jwks"]
"""

from __future__ import annotations

import asyncio
import base64
import functools
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

NOW = 1_800_000_000.0
"""The instant at which tokens are issued, unless a test says otherwise."""

_HASHES: Mapping[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES: Mapping[str, tuple[str, ec.EllipticCurve]] = {
    "ES256": ("P-256", ec.SECP256R1()),
    "ES384": ("P-384", ec.SECP384R1()),
    "ES512": ("P-521", ec.SECP521R1()),
}
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64_number(number: int, size: int | None = None) -> str:
    """A number as JWKs write it: big-endian, of so many octets or as few as will do."""
    return b64(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@functools.cache
def private_key(algorithm: str, number: int = 0, bits: int = 2048) -> PrivateKey:
    """A private key for an algorithm; the same number gives the same key, so that RSA keys are made once per run."""
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm][1])
    if algorithm in ("EdDSA", "Ed25519"):
        return ed25519.Ed25519PrivateKey.generate()
    return (
        rsa.generate_private_key(public_exponent=65537, key_size=bits)
        if algorithm == "RSA"
        else private_key("RSA", number, bits)
    )


@dataclass(frozen=True)
class SigningKey:
    """A key pair with its name and its one algorithm."""

    key_id: str | None
    algorithm: str
    private: PrivateKey

    def sign(self, data: bytes, algorithm: str | None = None) -> bytes:
        """A JWS signature (RFC 7518 section 3)."""
        name = algorithm or self.algorithm
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(data)
        digest = _HASHES[name[2:]]
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            size = (self.private.key_size + 7) // 8
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(digest)))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        if name.startswith("PS"):
            return self.private.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        return self.private.sign(data, padding.PKCS1v15(), digest)

    def jwk(self, **changes: Any) -> dict[str, Any]:
        """The public key as a JWK; a change to None takes a member away."""
        jwk: dict[str, Any] = {"use": "sig", "alg": self.algorithm, "kid": self.key_id, **self._public(), **changes}
        return {name: value for name, value in jwk.items() if value is not None}

    def _public(self) -> dict[str, str]:
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return {"kty": "OKP", "crv": "Ed25519", "x": b64(self.private.public_key().public_bytes_raw())}
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            point = self.private.public_key().public_numbers()
            size = (self.private.key_size + 7) // 8
            crv = next(crv for crv, curve in _CURVES.values() if curve.name == self.private.curve.name)
            return {"kty": "EC", "crv": crv, "x": b64_number(point.x, size), "y": b64_number(point.y, size)}
        numbers = self.private.public_key().public_numbers()
        return {"kty": "RSA", "n": b64_number(numbers.n), "e": b64_number(numbers.e)}


def signing_key(algorithm: str, key_id: str | None = "key-1", number: int = 0) -> SigningKey:
    """A key for an algorithm, named."""
    return SigningKey(key_id, algorithm, private_key(algorithm, number))


def jwks(*keys: SigningKey) -> bytes:
    """A key set document."""
    return json.dumps({"keys": [key.jwk() for key in keys]}).encode()


def sign(
    key: SigningKey, claims: Mapping[str, Any] | str | bytes, header: Mapping[str, Any] | str | None = None
) -> str:
    """
    A compact JWS, genuine as far as the signature goes, whatever the claims and the header say.

    Text or bytes for the claims are taken as they are. A mapping for the header changes the usual one (None takes a member
    away); text is taken as it is.
    """
    if not isinstance(header, str):
        members = {"alg": key.algorithm, "typ": "JWT", "kid": key.key_id, **(header or {})}
        header = json.dumps({name: value for name, value in members.items() if value is not None})
    if not isinstance(claims, str | bytes):
        claims = json.dumps(claims)
    payload = claims if isinstance(claims, bytes) else claims.encode()
    signing_input = f"{b64(header.encode())}.{b64(payload)}"
    return f"{signing_input}.{b64(key.sign(signing_input.encode()))}"


@dataclass
class Answer:
    """
    What a path answers with, instead of what the provider would say.

    ``raw``: these bytes, not an HTTP answer. ``hang``: nothing, ever. ``drip``: the body octet by octet, one every
    hundredth of a second.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    hang: bool = False
    drip: bool = False


DISCOVERY = "/.well-known/openid-configuration"


class FakeOidcProvider:
    """
    See the module. ``discovery`` changes members of the configuration document; None takes one away. While ``held`` is
    clear, whoever asks waits.
    """

    def __init__(self, host: str = "127.0.0.1", path: str = "", ssl_context: ssl.SSLContext | None = None) -> None:
        self.host = host
        self.path = path
        self.port = 0
        self.keys: dict[str, SigningKey] = {}
        self.discovery: dict[str, Any] = {}
        self.answers: dict[str, Answer] = {}
        self.fetches: list[str] = []
        self.requests: list[bytes] = []
        self._ssl_context = ssl_context
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()
        self.held = asyncio.Event()
        self.held.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._ssl_context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            for connection in tuple(self._connections):
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            await self._server.wait_closed()

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"{'https' if self._ssl_context else 'http'}://{self.host}:{self.port}"

    @property
    def issuer(self) -> str:
        """Its issuer URL."""
        return self.origin + self.path

    def add_key(self, algorithm: str = "EdDSA", key_id: str = "key-1", number: int = 0) -> SigningKey:
        """Publish a key from now on."""
        self.keys[key_id] = signing_key(algorithm, key_id, number)
        return self.keys[key_id]

    async def asked_for(self, path: str) -> None:
        """Wait until somebody asks for this path."""
        async with self._news:
            await self._news.wait_for(lambda: path in self.fetches)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a token that is in order; a change to None takes one away."""
        claims = {"iss": self.issuer, "sub": "alice", "aud": "client", "iat": NOW, "exp": NOW + 3600, **changes}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, key: SigningKey | None = None, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A token of these claims, signed with this key or the first one that is published."""
        return sign(key or next(iter(self.keys.values())), self.claims(**claims), header)

    def _answer(self, path: str) -> Answer:
        if path in self.answers:
            return self.answers[path]
        if path == self.path + DISCOVERY:
            document = {
                "issuer": self.issuer,
                "jwks_uri": self.origin + "/jwks",
                "id_token_signing_alg_values_supported": list(ALGORITHMS),
                **self.discovery,
            }
            return Answer(body=json.dumps({k: v for k, v in document.items() if v is not None}).encode())
        if path == "/jwks":
            return Answer(body=jwks(*self.keys.values()))
        return Answer(status=404)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side went away, or the test is over
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split(b" ", 2)[1].decode("ascii")
        self.fetches.append(path)
        self.requests.append(request)
        async with self._news:
            self._news.notify_all()
        await self.held.wait()
        answer = self._answer(path)
        if answer.hang:
            await asyncio.Event().wait()
        if answer.raw is not None:
            writer.write(answer.raw)
        else:
            headers = {"Content-Type": "application/json", "Content-Length": str(len(answer.body)), **answer.headers}
            lines = [f"HTTP/1.1 {answer.status} Status", *(f"{name}: {value}" for name, value in headers.items())]
            writer.write("\r\n".join([*lines, "", ""]).encode())
            for octet in answer.body if answer.drip else b"":
                writer.write(bytes([octet]))
                await writer.drain()
                await asyncio.sleep(0.01)
            writer.write(b"" if answer.drip else answer.body)
        await writer.drain()
