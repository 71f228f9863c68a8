# SPDX-License-Identifier: Apache-2.0
"""
Forms: ``application/x-www-form-urlencoded``, read strictly (WHATWG URL Standard, section 5.1).

The standard's parser repairs what it can; this one refuses: a pair without a name or an equals sign, a percent sign
without two hexadecimal digits, text that is not UTF-8, a NUL, a name sent twice. A body and a query string have the same
form. What the names mean is for the protocol (``daypass.awsapi.query``).
"""

from __future__ import annotations

import re
from typing import Final

from daypass.awsapi import limits
from daypass.errors import Reason, RequestError

_HEX: Final = "0123456789ABCDEFabcdef"
_BYTE: Final = {high + low: bytes.fromhex(high + low) for high in _HEX for low in _HEX}
_ASCII: Final = {pair: byte.decode("ascii") for pair, byte in _BYTE.items() if byte < b"\x80"}
_QUOTABLE: Final = re.compile(rf"[A-Za-z][A-Za-z0-9_.-]{{0,{limits.MAX_QUOTED_NAME - 1}}}", re.ASCII)


def parse_form(data: bytes) -> dict[str, str]:
    """The names and texts of a form, in the order sent; ``+`` is a space. No bytes are no parameters.

    Raises RequestError: REQUEST_TOO_LARGE (see ``limits``), MALFORMED_REQUEST, DUPLICATE_PARAMETER.
    **It does not** know which names there may be: ``query.parse_input`` refuses the others.
    """
    if not data:
        return {}
    text = _text_within_limits(data)
    form: dict[str, str] = {}
    for pair in text.split("&"):
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise RequestError(Reason.MALFORMED_REQUEST, "The request has a parameter without a name or without '='.")
        if "%" in value or "+" in value:
            value = _decode(value)
        if "%" in name or "+" in name:
            name = _decode(name)
        if name in form:
            raise RequestError(Reason.DUPLICATE_PARAMETER, f"The request has {quoted_name(name)} more than once.")
        form[name] = value
    return form


def quoted_name(name: str) -> str:
    """A parameter as a message may name it. What cannot be one of AWS's names may be a secret, and is not quoted."""
    return f"the parameter {name!r}" if _QUOTABLE.fullmatch(name) else "a parameter of an unknown name"


def _text_within_limits(data: bytes) -> str:
    if len(data) > limits.MAX_FORM_BYTES:
        raise RequestError(Reason.REQUEST_TOO_LARGE, f"The request is longer than {limits.MAX_FORM_BYTES} bytes.")
    if data.count(b"&") >= limits.MAX_PARAMETERS:
        raise RequestError(Reason.REQUEST_TOO_LARGE, f"The request has more than {limits.MAX_PARAMETERS} parameters.")
    if b"\0" in data:
        raise _nul()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _not_utf8() from None


def _decode(text: str) -> str:
    """Decode ``+`` and ``%XX``. Nearly always every escape is of an ASCII character, and bytes are not needed."""
    first, *escaped = text.replace("+", " ").split("%")
    parts = [first]
    try:
        for part in escaped:
            parts.append(_ASCII[part[:2]])
            parts.append(part[2:])
    except KeyError:
        return _decode_bytes(first, escaped)
    decoded = "".join(parts)
    if "\0" in decoded:
        raise _nul()
    return decoded


def _decode_bytes(first: str, escaped: list[str]) -> str:
    parts = [first.encode()]
    try:
        for part in escaped:
            parts.append(_BYTE[part[:2]])
            parts.append(part[2:].encode())
    except KeyError:
        raise RequestError(Reason.MALFORMED_REQUEST, "The request has '%' without two hexadecimal digits.") from None
    try:
        decoded = b"".join(parts).decode("utf-8")
    except UnicodeDecodeError:
        raise _not_utf8() from None
    if "\0" in decoded:
        raise _nul()
    return decoded


def _nul() -> RequestError:
    return RequestError(Reason.MALFORMED_REQUEST, "The request contains a NUL character.")


def _not_utf8() -> RequestError:
    return RequestError(Reason.MALFORMED_REQUEST, "The request is not valid UTF-8.")
