# SPDX-License-Identifier: Apache-2.0
"""
Signing requests of our own, towards a service behind us that knows one key (IAM User Guide, "Create a signed AWS API request").

The canonical forms are those that ``verify`` computes, so what is signed here is what is verified there. Pure: the caller
brings the time, and hashes the body or says that it is not covered.
"""

from __future__ import annotations

import binascii
import datetime
import hashlib
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from daypass.sigv4 import canonical
from daypass.sigv4.canonical import Parameter, percent_encoded
from daypass.sigv4.key import SigningKey, derive_signing_key
from daypass.sigv4.limits import MAX_PRESIGNED_LIFETIME
from daypass.sigv4.payloads import UNSIGNED_PAYLOAD
from daypass.sigv4.request import AFTER_AMZ, AMZ, PathStyle
from daypass.sigv4.timestamp import basic

_ADDED: Final = frozenset({b"authorization", b"x-amz-date", b"x-amz-content-sha256", b"x-amz-security-token"})
_SIGNED: Final = frozenset({b"host", b"content-type", b"content-md5"})


class Confidential(Protocol):
    """A text that does not print: a ``credentials.Secret``."""

    def reveal(self) -> str:
        """The text itself."""


class RequestSigner:
    """
    Signs with one access key for one region and service. The signing key of the day is kept.

    ``path_style`` is how the service reads paths: RAW for S3, NORMALISED for all others.
    """

    def __init__(
        self,
        access_key_id: str,
        secret: Confidential,
        *,
        region: str,
        service: str,
        path_style: PathStyle = PathStyle.RAW,
        session_token: Confidential | None = None,
    ) -> None:
        self._access_key_id = access_key_id
        self._secret = secret
        self._region, self._service = region, service
        self._path_style = path_style
        self._token = None if session_token is None else session_token.reveal().encode()
        self._of_day = ("", SigningKey(), "")
        self._of_second = (-1, b"")

    def __repr__(self) -> str:
        return f"RequestSigner({self._access_key_id!r}, {self._region!r}, {self._service!r})"

    def sign(
        self,
        method: str,
        path: bytes,
        query: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        *,
        now: float,
        payload: str = UNSIGNED_PAYLOAD,
    ) -> list[tuple[bytes, bytes]]:
        """
        The headers to add: x-amz-date, x-amz-content-sha256, x-amz-security-token if there is one, authorization.

        ``path`` and ``query`` are raw, as they go on the wire, without the question mark. ``headers`` are those that are sent,
        names in lower case, Host among them; signed are Host, Content-Type, Content-MD5 and every x-amz-* one. ``payload`` is
        the SHA-256 of the body in lower-case hexadecimal, or a word of ``payloads``.

        Raises ValueError when Host is missing, a signed header is there twice, or one that is added here is there already (take
        the client's out first); AuthenticationError for a path or query that cannot be read.
        """
        timestamp, scope, key = self._moment(now)
        added = [(b"x-amz-date", timestamp), (b"x-amz-content-sha256", payload.encode())]
        if self._token is not None:
            added.append((b"x-amz-security-token", self._token))
        values = _signed_values(headers)
        values.update(added)
        names = sorted(values)
        text = canonical.canonical_request(
            method,
            canonical.canonical_path(path, self._path_style),
            canonical.canonical_query(canonical.parse_query(query)) if query else b"",
            values,
            names,
            payload,
        )
        signature = key.sign(canonical.string_to_sign(timestamp, scope, text))
        value = (
            f"AWS4-HMAC-SHA256 Credential={self._access_key_id}/{scope}, "
            f"SignedHeaders={b';'.join(names).decode()}, Signature={signature}"
        )
        added.append((b"authorization", value.encode()))
        return added

    def presign(
        self,
        method: str,
        path: bytes,
        query: bytes,
        *,
        host: bytes,
        now: float,
        expires: int,
        payload: str = UNSIGNED_PAYLOAD,
    ) -> bytes:
        """
        The query of a presigned request: the one given with the credential added (S3 API, "Using Query Parameters").

        ``expires``: for how many seconds from ``now`` it is good, at most a week. ``payload``: the SHA-256 of the body, which
        every service but S3 wants covered. Raises ValueError for an impossible lifetime, AuthenticationError for a path or
        query that cannot be read.
        """
        if not 1 <= expires <= MAX_PRESIGNED_LIFETIME:
            raise ValueError("a presigned request is good for 1 second to a week")
        timestamp, scope, key = self._moment(now)
        parameters: list[Parameter] = [
            *canonical.parse_query(query),
            (b"X-Amz-Algorithm", b"AWS4-HMAC-SHA256"),
            (b"X-Amz-Credential", percent_encoded(f"{self._access_key_id}/{scope}".encode())),
            (b"X-Amz-Date", timestamp),
            (b"X-Amz-Expires", b"%d" % expires),
            (b"X-Amz-SignedHeaders", b"host"),
        ]
        if self._token is not None:
            parameters.append((b"X-Amz-Security-Token", percent_encoded(self._token)))
        sorted_query = canonical.canonical_query(parameters)
        text = canonical.canonical_request(
            method,
            canonical.canonical_path(path, self._path_style),
            sorted_query,
            {b"host": host},
            (b"host",),
            payload,
        )
        signature = key.sign(canonical.string_to_sign(timestamp, scope, text))
        return b"%b&X-Amz-Signature=%b" % (sorted_query, signature.encode())

    def sign_form(
        self,
        fields: Sequence[tuple[str, str]],
        *,
        bucket: str,
        lengths: tuple[int, int],
        now: float,
        expires_at: float,
    ) -> list[tuple[str, str]]:
        """
        The fields to add to an upload by a form: the policy, the credential, the signature (S3 API, "POST policy").

        The policy allows exactly these fields in this bucket, with a file of so many bytes (``lengths``, both included), until
        ``expires_at`` (seconds since the epoch). ``fields`` has the key, and none that is added here.
        """
        timestamp, scope, key = self._moment(now)
        added = [
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            ("x-amz-credential", f"{self._access_key_id}/{scope}"),
            ("x-amz-date", timestamp.decode()),
        ]
        if self._token is not None:
            added.append(("x-amz-security-token", self._token.decode()))
        document = {
            "expiration": datetime.datetime.fromtimestamp(int(expires_at), datetime.UTC).strftime(
                "%Y-%m-%dT%H:%M:%S.000Z"
            ),
            "conditions": [
                {"bucket": bucket},
                *(["eq", f"${name}", value] for name, value in (*fields, *added)),
                ["content-length-range", *lengths],
            ],
        }
        policy = binascii.b2a_base64(msgspec.json.encode(document), newline=False)
        signature = key.sign(policy)
        return [*added, ("policy", policy.decode()), ("x-amz-signature", signature)]

    def _moment(self, now: float) -> tuple[bytes, str, SigningKey]:
        """The timestamp, the scope and the signing key of an instant."""
        # Each pair is replaced as a whole, so that a second thread reads the old one or the new one.
        second, timestamp = self._of_second
        if second != int(now):
            timestamp = basic(now).encode()
            self._of_second = (int(now), timestamp)
        day, key, scope = self._of_day
        if timestamp[:8] != day.encode():
            day = timestamp[:8].decode()
            key = derive_signing_key(self._secret.reveal().encode(), day, self._region, self._service)
            scope = f"{day}/{self._region}/{self._service}/aws4_request"
            self._of_day = (day, key, scope)
        return timestamp, scope, key


def payload_digest(body: bytes) -> str:
    """The SHA-256 of a body in lower-case hexadecimal, as ``payload`` takes it."""
    return hashlib.sha256(body).hexdigest()


def _signed_values(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    values: dict[bytes, bytes] = {}
    for name, value in headers:
        if AMZ <= name < AFTER_AMZ or name in _SIGNED or name in _ADDED:
            if name in values or name in _ADDED:
                raise ValueError(f"the header {name.decode('latin-1')!r} is there twice, or is added by signing")
            values[name] = value
    if b"host" not in values:
        raise ValueError("a signed request has a Host header")
    return values
