# SPDX-License-Identifier: Apache-2.0
"""
From an error to the answer that denies, in the form of the service that was asked.

No sentence becomes part of a header, so no header carries what a caller sent.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Final

import msgspec

from daypass.awsapi import query_writer
from daypass.errors import DaypassError
from daypass.gateway.denials.codes import CODES, S3_CODES
from daypass.gateway.denials.form import Denial, DenialForm, Kind, Row
from daypass.gateway.denials.troubles import Trouble, trouble_of

_CONTENT_TYPES: Final[dict[Kind, bytes]] = {
    "s3": b"application/xml",
    "query": b"text/xml",
    "http": b"application/json",
}
_CREDENTIALS: Final = frozenset({Trouble.CREDENTIALS_MALFORMED, Trouble.SCOPE_WRONG})
_TOKEN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def denial(
    form: DenialForm,
    error: DaypassError,
    *,
    request_id: str,
    resource: str = "",
    head: bool = False,
    presigned: bool = False,
) -> Denial:
    """
    The answer that denies a request for the reason of an error. Raises nothing.

    - ``resource``: what was asked for, ``/bucket/key``; only S3 tells it.
    - ``head``: the request's method was HEAD, so the answer has no body.
    - ``presigned``: the credentials came in the query, which S3 has another code for.
    """
    trouble = trouble_of(error.reason)
    row = CODES[form.kind][trouble]
    if form.kind == "s3":
        if presigned and trouble in _CREDENTIALS:
            row = Row("AuthorizationQueryParametersError", 400)
        row = S3_CODES.get(error.reason, row)
    elif form.denied_code and trouble is Trouble.DENIED:
        row = Row(form.denied_code, row.status)
    return _answer(form, trouble, row, str(error), request_id=request_id, resource=resource, head=head)


def failure(form: DenialForm, *, request_id: str, resource: str = "", head: bool = False) -> Denial:
    """The answer where something failed that is no refusal: a 500 that tells nothing. Raises nothing."""
    row = CODES[form.kind][Trouble.INTERNAL]
    return _answer(form, Trouble.INTERNAL, row, "", request_id=request_id, resource=resource, head=head)


def _answer(
    form: DenialForm, trouble: Trouble, row: Row, own_sentence: str, *, request_id: str, resource: str, head: bool
) -> Denial:
    sentence = own_sentence if row.sentence is None else row.sentence
    headers: list[tuple[bytes, bytes]]
    shown_id = "".join(character for character in request_id if character in _TOKEN)
    match form.kind:
        case "s3":
            host_id = b64encode(hashlib.sha512(shown_id.encode()).digest()[:48]).decode()
            headers = [(b"x-amz-request-id", shown_id.encode()), (b"x-amz-id-2", host_id.encode())]
            body = _s3_xml(row.code, sentence, resource, shown_id, host_id)
        case "query":
            headers = [(b"x-amzn-requestid", shown_id.encode())]
            body = _query_xml(form.xml_namespace, row, sentence, shown_id)
        case "json":
            headers = [(b"x-amzn-requestid", shown_id.encode()), (b"x-amzn-errortype", row.code.encode())]
            if form.query_errors:
                headers.append((b"x-amzn-query-error", _query_error(trouble)))
            body = _aws_json(trouble, row.code, sentence)
        case _:
            headers = [(b"x-amzn-requestid", shown_id.encode()), (b"x-amzn-errortype", row.code.encode())]
            body = msgspec.json.encode({"message": _encodable(sentence)})
    headers.insert(0, (b"content-type", _content_type(form)))
    if head:
        body = b""
    else:
        headers.insert(1, (b"content-length", b"%d" % len(body)))
    return Denial(row.status, tuple(headers), body, row.code)


def _content_type(form: DenialForm) -> bytes:
    return _CONTENT_TYPES.get(form.kind) or b"application/x-amz-json-" + form.json_version.encode()


def _s3_xml(code: str, sentence: str, resource: str, request_id: str, host_id: str) -> bytes:
    text = query_writer.escaped
    shown = f"<Resource>{text(resource)}</Resource>" if resource else ""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + query_writer.document(
        f"<Error><Code>{code}</Code><Message>{text(sentence)}</Message>{shown}"
        f"<RequestId>{request_id}</RequestId><HostId>{host_id}</HostId></Error>"
    )


def _query_xml(namespace: str, row: Row, sentence: str, request_id: str) -> bytes:
    text = query_writer.escaped
    return query_writer.document(
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{_fault(row)}</Type><Code>{row.code}</Code>'
        f"<Message>{text(sentence)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _aws_json(trouble: Trouble, code: str, sentence: str) -> bytes:
    # AWS's front end spells the member of a denial with a capital and all others without; clients read both.
    member = "Message" if trouble is Trouble.DENIED else "message"
    return msgspec.json.encode({"__type": f"com.amazon.coral.service#{code}", member: _encodable(sentence)})


def _query_error(trouble: Trouble) -> bytes:
    row = CODES["query"][trouble]
    return f"{row.code};{_fault(row)}".encode()


def _fault(row: Row) -> str:
    return "Receiver" if row.status >= 500 and row.status != 501 else "Sender"


def _encodable(text: str) -> str:
    """The text with lone surrogates, which UTF-8 cannot carry, replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")
