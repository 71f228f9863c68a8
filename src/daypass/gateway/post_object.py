# SPDX-License-Identifier: Apache-2.0
"""
Uploads by a browser's form (S3 API, "POST Object"; "Browser-Based Uploads Using POST"), verified, decided, and written anew.

    head -- fields --> authenticate (the policy's signature) --> decide as a PutObject --> a form of our own, file streamed

The form that goes on has our boundary, our policy and our signature over the fields that were verified: nothing of the
caller's framing, credential or names of files reaches the backend, and the file's last bytes wait for the end of the form.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from daypass.doorway.connection import Connection
from daypass.errors import Reason, RequestError
from daypass.gateway.actions.s3.names import checked_bucket
from daypass.gateway.allowing import identity_headers
from daypass.gateway.asking import AskedOperation, Incoming
from daypass.gateway.backends import Backend, Chosen
from daypass.gateway.bodies import ClientBody, VerifiedPieces
from daypass.gateway.decision import Allowed, Gate
from daypass.gateway.exchange import Exchange
from daypass.gateway.form_data import FILE, FormHead, FormReader, is_form, read_boundary
from daypass.gateway.form_fields import equivalent_put, onward_fields, with_filename
from daypass.gateway.incoming import Head
from daypass.gateway.onward import Forwarder, Headers, Onward
from daypass.gateway.s3_rules import S3Rules
from daypass.sigv4 import Piece, RawRequest, VerifiedPostForm, read_post_form
from daypass.store import View

OPERATION: Final = "PostObject"
"""What it is called in records and figures. Permissions are those of PutObject, as at AWS."""

POLICY_SECONDS: Final = 86_400
"""How long our policy is good for at the backend, which may look at it when the file has come."""

_CREDENTIALS: Final = (b"authorization", b"x-amz-security-token")
_KEPT: Final = (b"user-agent", b"origin", b"referer", b"accept", b"accept-language")
"""Headers of the caller that go on: what logs want, and what answers to pages of other origins depend on."""

LengthRange = tuple[int, int]


def is_upload(chosen: Chosen, raw: RawRequest) -> bool:
    """Whether a request is an upload by a form: a POST of multipart/form-data to a bucket."""
    if raw.method != "POST" or chosen.backend.service != "s3" or not is_form(_content_type(raw)):
        return False
    return raw.path == b"/" if chosen.bucket is not None else _named_by(raw.path) is not None


class FormUploads:
    """Takes forms. One for all backends of S3."""

    def __init__(self, gate: Gate, rules: S3Rules, forwarder: Forwarder) -> None:
        self._gate = gate
        self._rules = rules
        self._forwarder = forwarder

    async def accept(self, exchange: Exchange, chosen: Chosen, connection: Connection) -> tuple[Allowed, Onward]:
        """
        What is to be sent on, with ``exchange.pieces``; what becomes known is noted in the exchange. In this order:

        1. the head: no credential and no parameters besides the form, a length, a boundary;
        2. the fields, as far as the file, at most 20 KB. Until then the time of a whole request bounds them;
        3. the caller: who signed the policy, and that it allows these fields in this bucket;
        4. what the fields ask for, by the PUT that asks for the same; whether the caller may; that no public ACL is set;
        5. the length of the file, as far as that of the request says it: to two bytes.

        Raises DaypassError. **The exact length, and that the form ends where it should, is owed by the pieces.**
        """
        backend, head, source = chosen.backend, exchange.head, exchange.source
        if head is None or source is None:
            raise RequestError(Reason.INTERNAL_FAILURE, "The request was not read.")
        boundary, length = _check_head(head)  # 1
        bucket = checked_bucket(chosen.bucket or _named_by(head.raw.path) or "")
        reader = FormReader(boundary)
        form, early = await _fields(reader, source)  # 2
        unverified = read_post_form(with_filename(form.fields, form.filename))  # 3
        if unverified is None:
            raise RequestError(Reason.UNSIGNED_REQUEST, "Request is missing Authentication Token")
        view = self._gate.view()
        authenticated = self._gate.authenticate_form(backend, unverified, bucket, head.facts, view)
        exchange.authenticated = authenticated
        connection.stream(backend.idle_seconds)
        allowed = await self._decide(exchange, backend, authenticated.verified, head, view)  # 4
        longest = length - form.length - reader.closing_length  # 5
        lengths = _lengths(authenticated.verified, longest, backend)
        onward, opening, closing = self._onward(exchange, allowed, authenticated.verified, longest)
        body = FormBody(reader, [opening, early], closing, lengths, longest)
        exchange.pieces = VerifiedPieces(source, body, framed=False, idle_seconds=backend.idle_seconds)
        return allowed, onward

    async def _decide(
        self, exchange: Exchange, backend: Backend, verified: VerifiedPostForm, head: Head, view: View
    ) -> Allowed:
        authenticated = exchange.authenticated
        if authenticated is None:
            raise RequestError(Reason.INTERNAL_FAILURE, "The form was not verified.")
        put = equivalent_put(verified.fields, verified.bucket)
        incoming = Incoming(put, (), backend.region, backend.account)
        operation = _by_form(backend.actions.operation(incoming))
        exchange.operation = msgspec.structs.replace(operation, name=OPERATION)
        keys = await self._rules.keys_for(backend, authenticated, head.facts, operation, view)
        allowed = exchange.allowed = await self._gate.decide(
            authenticated, backend, incoming, head.facts, view, asked=operation, more_keys=keys
        )
        await self._rules.check(put, None, allowed)
        return allowed

    def _onward(
        self, exchange: Exchange, allowed: Allowed, verified: VerifiedPostForm, longest: int
    ) -> tuple[Onward, bytes, bytes]:
        """The request, and what stands before the file and behind it."""
        backend, head = allowed.backend, exchange.head
        signer = self._forwarder.signer(backend)
        if signer is None or head is None:
            message = "Forms are taken for backends whose requests are signed (sign_as); this one's are not."
            raise RequestError(Reason.UNSUPPORTED_OPERATION, message)
        now = allowed.facts.now
        fields = onward_fields(verified.fields)
        lengths = max(0, longest - 2), longest
        fields += signer.sign_form(
            fields, bucket=verified.bucket, lengths=lengths, now=now, expires_at=now + POLICY_SECONDS
        )
        boundary = secrets.token_hex(24).encode("ascii")
        opening, closing = _opening(fields, boundary), b"\r\n--" + boundary + b"--"
        length = len(opening) + longest + len(closing)
        headers: Headers = [
            *((name, value) for name, value in head.raw.headers if name in _KEPT and value.isascii()),
            *identity_headers(allowed, exchange.request_id),
            (b"content-type", b"multipart/form-data; boundary=" + boundary),
            (b"content-length", str(length).encode("ascii")),
        ]
        if head.facts.source_ip is not None:
            headers.append((b"x-forwarded-for", head.facts.source_ip.encode("ascii")))
        return Onward("POST", b"/" + verified.bucket.encode("ascii"), b"", headers, length), opening, closing


class FormBody:
    """
    The form that goes on, read from the one that comes (``sigv4.Body``). Its last boundary waits for ``finish``: until then no
    backend has all of it.
    """

    length: int | None = None
    trailers: Mapping[str, str] = {}
    checked: frozenset[str] = frozenset()

    def __init__(
        self, reader: FormReader, first: Sequence[bytes], closing: bytes, lengths: LengthRange, longest: int
    ) -> None:
        self._reader = reader
        self._first = [piece for piece in first if piece]
        self._closing = closing
        self._least, self._most = lengths
        self._longest = longest

    def feed(self, data: bytes) -> Sequence[Piece]:
        """What may go on. Raises RequestError: POST_FORM_MALFORMED, ENTITY_TOO_LARGE."""
        data = self._reader.feed(data)
        # INVARIANT: never more than the backend was told, whatever the server in front makes of the length.
        if self._reader.file_length > self._longest:
            raise _no_end()
        if self._reader.file_length > self._most:
            raise _too_large(self._most)
        pieces, self._first = [*self._first, data] if data else self._first, []
        return pieces

    def finish(self) -> Sequence[Piece]:
        """The end of the form. Raises RequestError: POST_FORM_MALFORMED, ENTITY_TOO_LARGE, ENTITY_TOO_SMALL."""
        self._reader.finish()
        if self._reader.file_length > self._most:
            raise _too_large(self._most)
        if self._reader.file_length < self._least:
            raise _too_small()
        return [*self._first, self._closing + self._reader.line_break]


def _check_head(head: Head) -> tuple[bytes, int]:
    """The boundary, and the length of the body."""
    raw = head.raw
    if any(name in _CREDENTIALS for name, _ in raw.headers) or b"x-amz-" in raw.query.lower():
        message = "A form carries its own credential; the request has another in its headers or query."
        raise RequestError(Reason.CREDENTIAL_AMBIGUOUS, message)
    if raw.query:
        raise RequestError(Reason.UNKNOWN_PARAMETER, "An upload by a form has no parameters in the query.")
    if sum(name == b"content-type" for name, _ in raw.headers) != 1:
        raise RequestError(Reason.POST_FORM_MALFORMED, "Expected one Content-Type.")
    if head.length is None:
        raise RequestError(Reason.LENGTH_REQUIRED, "You must provide the Content-Length HTTP header.")
    return read_boundary(_content_type(raw)), head.length


async def _fields(reader: FormReader, source: ClientBody) -> tuple[FormHead, bytes]:
    """What stands before the file, and what came of the file with it."""
    while not source.at_end:
        early = reader.feed(await source.piece())
        if reader.head is not None:
            return reader.head, early
    raise RequestError(Reason.POST_FORM_MALFORMED, "The form ends before its file.")


def _by_form(operation: AskedOperation) -> AskedOperation:
    """What a PUT asks for, as asked by a form. Raises RequestError when it is no PutObject any more (a copy)."""
    if operation.name != "PutObject":
        raise RequestError(Reason.UNKNOWN_PARAMETER, "The form has a field that makes it another operation.")
    needed = [msgspec.structs.replace(one, keys={**one.keys, "s3:authtype": "POST"}) for one in operation.needed]
    return msgspec.structs.replace(operation, needed=tuple(needed))


def _lengths(verified: VerifiedPostForm, longest: int, backend: Backend) -> LengthRange:
    """What the file may have, once the request does not rule it out. ``longest``: what it has, or two bytes less."""
    least, most = verified.length_range or (0, backend.max_body_bytes)
    most = min(most, backend.max_body_bytes)
    if longest < 0:
        raise _no_end()
    if longest - 2 > most:
        raise _too_large(most)
    if longest < least:
        raise _too_small()
    return least, most


def _opening(fields: Sequence[tuple[str, str]], boundary: bytes) -> bytes:
    """Everything before the file. The names are those of ``onward_fields`` and need no escape."""
    lines = [
        b'Content-Disposition: form-data; name="%b"\r\n\r\n%b' % (name.encode(), value.encode())
        for name, value in fields
    ]
    lines.append(
        b'Content-Disposition: form-data; name="%b"; filename="file"\r\nContent-Type: application/octet-stream\r\n\r\n'
        % FILE.encode()
    )
    return b"--" + boundary + b"\r\n" + (b"\r\n--" + boundary + b"\r\n").join(lines)


def _named_by(path: bytes) -> str | None:
    """The bucket in a path that names one and no object."""
    name = path[1:].removesuffix(b"/")
    return None if not name or b"/" in name else name.decode("latin-1")


def _content_type(raw: RawRequest) -> bytes:
    return next((value for name, value in raw.headers if name == b"content-type"), b"")


def _too_large(most: int) -> RequestError:
    return RequestError(Reason.ENTITY_TOO_LARGE, f"Your proposed upload exceeds the maximum allowed size: {most}.")


def _no_end() -> RequestError:
    return RequestError(Reason.POST_FORM_MALFORMED, "The form does not end with its boundary.")


def _too_small() -> RequestError:
    return RequestError(Reason.ENTITY_TOO_SMALL, "Your proposed upload is smaller than the minimum allowed size.")
