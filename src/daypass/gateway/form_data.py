# SPDX-License-Identifier: Apache-2.0
"""
A form with one file as browsers send it (RFC 7578, multipart/form-data), read strictly and as it comes.

    --BOUNDARY CRLF headers CRLF CRLF value  CRLF --BOUNDARY CRLF headers CRLF CRLF file ...  CRLF --BOUNDARY-- [CRLF]
    |---------------------------- at most 20 KB, kept: ``FormHead`` ---------------------|---| handed on as it comes

Pure. What two readers could read differently is refused: anything before the first boundary or after the last, a field behind
the file, a boundary inside a value, a name said twice or in another spelling. Which fields a form may have is for others.

The parsers of PyPI are not used: ``python-multipart`` and ``multipart`` stream, and are made to accept what browsers ever sent.
They skip text before and after the form, take repeated parameters and headers, decode ``filename*``, and leave it to their
caller to see what they skipped; here every byte has to be accounted for, since what is verified is written anew.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from daypass.errors import Reason, RequestError
from daypass.sigv4.limits import MAX_POST_FIELDS, MAX_POST_FORM_BYTES

MAX_BOUNDARY: Final = 70
"""Characters of a boundary (RFC 2046 section 5.1.1)."""
MAX_HEAD_BYTES: Final = MAX_POST_FORM_BYTES
"""Of everything before the file, boundaries included (S3 User Guide, "HTML forms": 20 KB)."""
MAX_PART_HEADER_BYTES: Final = 4096
"""Of the headers of one part. A file's name is at most some 255 characters; a path is longer where a browser sends one."""
MAX_PART_HEADERS: Final = 8
"""Lines of them. Clients send two; some add a length and an encoding."""

FILE: Final = "file"
"""The name of the field that the file is in (S3 API, POST Object)."""

_FORM: Final = "multipart/form-data"
_TYPE_PARAMETER: Final = re.compile(r';[ \t]*([A-Za-z-]+)=(?:"([^"\\]*)"|([^\s";,\\]+))[ \t]*', re.ASCII)
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]", re.ASCII)
_HEADER: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_PARAMETER: Final = re.compile(
    r';[ \t]*([A-Za-z]+\*?)=(?:"([^"\x00-\x1f\x7f]*)"|([!#$%&\'*+.^_`|~0-9A-Za-z-]+))[ \t]*', re.ASCII
)
_PLAIN_CODINGS: Final = (b"7bit", b"8bit", b"binary")
_ONCE: Final = (b"content-disposition", b"content-type", b"content-transfer-encoding")


class FormHead(msgspec.Struct, frozen=True):
    """
    What stands before the file. Nothing here is proved.

    ``fields``: names and values in their order, as sent. ``filename``: the last part of the file's name, as S3 takes it (what
    follows the last slash or backslash); empty where it has none. ``length``: bytes up to the first of the file.
    """

    fields: tuple[tuple[str, str], ...]
    filename: str
    length: int

    def __repr__(self) -> str:
        return "FormHead(...)"


def is_form(content_type: bytes) -> bool:
    """Whether a Content-Type says that the body is a form with parts."""
    return content_type.partition(b";")[0].strip().lower() == _FORM.encode()


def read_boundary(content_type: bytes) -> bytes:
    """The boundary that the Content-Type of a form names. Raises RequestError (POST_FORM_MALFORMED)."""
    kind, semicolon, rest = content_type.decode("latin-1").partition(";")
    if kind.strip().lower() != _FORM:
        raise _malformed("Expected a body of the type multipart/form-data.")
    found: dict[str, str] = {}
    for name, value in _parameters(_TYPE_PARAMETER, (semicolon + rest).rstrip()):
        if name in found or name not in ("boundary", "charset"):
            raise _malformed("The Content-Type has a parameter twice, or one that is not known.")
        found[name] = value
    boundary = found.get("boundary", "")
    if len(boundary) > MAX_BOUNDARY or _BOUNDARY.fullmatch(boundary) is None:
        raise _malformed(f"The boundary must be 1 to {MAX_BOUNDARY} characters that RFC 2046 allows.")
    if found.get("charset", "utf-8").lower() != "utf-8":
        raise _malformed("The form must be UTF-8.")
    return boundary.encode()


class FormReader:
    """
    Reads one form. ``head`` is there once the file begins; ``file_length`` counts the bytes of the file that were handed on.

    How the form is cut into pieces makes no difference.
    """

    def __init__(self, boundary: bytes) -> None:
        self.head: FormHead | None = None
        self.file_length = 0
        self._opening = b"--" + boundary + b"\r\n"
        self._delimiter = b"\r\n--" + boundary
        self._waiting = bytearray()
        self._position = 0
        self._searched = 0
        self._name: str | None = None
        self._fields: list[tuple[str, str]] = []
        self._tail = b""
        self._ended = False

    @property
    def closing_length(self) -> int:
        """Bytes of the delimiter that ends the form, without the line break that may follow."""
        return len(self._delimiter) + 2

    @property
    def line_break(self) -> bytes:
        """What followed the last delimiter: a line break, or nothing. Known once ``finish`` has returned."""
        return self._tail[2:]

    def feed(self, data: bytes) -> bytes:
        """
        The bytes of the file that are known to be such, given the next bytes of the form. Raises RequestError:
        POST_FORM_MALFORMED, and POST_FORM_TOO_LARGE when the file does not begin in time.
        """
        if self.head is None:
            room = MAX_HEAD_BYTES - len(self._waiting)
            self._waiting += data[:room]
            if not self._read_head():
                if len(self._waiting) == MAX_HEAD_BYTES:
                    raise RequestError(
                        Reason.POST_FORM_TOO_LARGE,
                        "Your POST request fields preceding the upload file were too large.",
                    )
                return b""
            data = bytes(self._waiting[self._position :]) + data[room:]
            self._waiting.clear()
        found = self._file(data)
        self.file_length += len(found)
        return found

    def finish(self) -> None:
        """At the end of the body. Raises RequestError (POST_FORM_MALFORMED) when the form does not end with it."""
        if not self._ended or self._tail not in (b"--", b"--\r\n"):
            raise _malformed("The form does not end with its boundary.")

    def _file(self, data: bytes) -> bytes:
        data = self._tail + data
        if self._ended:
            self._ends_with(data)
            return b""
        at = data.find(self._delimiter)
        if at < 0:
            kept = len(self._delimiter) - 1
            self._tail = data[-kept:]
            return data[:-kept]
        self._ended = True
        self._ends_with(data[at + len(self._delimiter) :])
        return data[:at]

    def _ends_with(self, rest: bytes) -> None:
        if not b"--\r\n".startswith(rest):
            raise _malformed("The file must be the last field of the form, and nothing may follow it.")
        self._tail = rest

    def _read_head(self) -> bool:
        """Read what is here, and whether the file begins."""
        if not self._position:
            begun = bytes(self._waiting[: len(self._opening)])
            if not self._opening.startswith(begun):
                raise _malformed("The form does not begin with its boundary.")
            if begun != self._opening:
                return False
            self._position = len(begun)
        while self._read_headers() if self._name is None else self._read_value():
            pass
        return self.head is not None

    def _read_headers(self) -> bool:
        """Read the headers of a part, and whether there is more to read."""
        end = self._waiting.find(b"\r\n\r\n", self._position, self._position + MAX_PART_HEADER_BYTES + 4)
        if end < 0:
            if len(self._waiting) >= self._position + MAX_PART_HEADER_BYTES + 4:
                raise _malformed("The headers of a field are too long.")
            return False
        name, filename = _read_part(bytes(self._waiting[self._position : end]))
        self._position = end + 4
        if name.lower() == FILE:
            self.head = FormHead(tuple(self._fields), _last_part(filename or ""), self._position)
            return False
        if filename is not None:
            raise _malformed("Only the field 'file' may be a file.")
        if len(self._fields) == MAX_POST_FIELDS:
            raise _malformed(f"The form has more than {MAX_POST_FIELDS} fields.")
        self._name = name
        return True

    def _read_value(self) -> bool:
        end = self._waiting.find(self._delimiter, max(self._position, self._searched))
        after = end + len(self._delimiter)
        if end < 0 or len(self._waiting) < after + 2:
            self._searched = len(self._waiting) - len(self._delimiter) - 1  # no delimiter begins before that
            return False
        follows = self._waiting[after : after + 2]
        if follows == b"--":
            raise _malformed("The form has no field 'file'.")
        if follows != b"\r\n":
            raise _malformed("The boundary stands inside a value.")
        value = _text(bytes(self._waiting[self._position : end]))
        self._fields.append((self._name or "", value))
        self._name, self._position = None, after + 2
        return True


def _read_part(block: bytes) -> tuple[str, str | None]:
    """The name of a part, and the name of its file; None when it has none."""
    lines = block.split(b"\r\n")
    if len(lines) > MAX_PART_HEADERS:
        raise _malformed("A field has too many headers.")
    found: dict[bytes, bytes] = {}
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise _malformed("A field has a header that cannot be read.")
        name = match[1].lower()
        if name in found and name in _ONCE:
            raise _malformed("A field has the same header twice.")
        found[name] = match[2].rstrip(b" \t")
    if found.get(b"content-type", b"").lower().startswith(b"multipart/"):
        raise _malformed("A field may not be a form itself.")
    if found.get(b"content-transfer-encoding", b"binary").lower() not in _PLAIN_CODINGS:
        raise _malformed("The fields of a form are not encoded (RFC 7578 section 4.7).")
    return _disposition(_text(found.get(b"content-disposition", b"")))


def _disposition(value: str) -> tuple[str, str | None]:
    kind, semicolon, rest = value.partition(";")
    if kind.rstrip(" \t").lower() != "form-data":
        raise _malformed("Every field needs the header Content-Disposition: form-data.")
    found: dict[str, str] = {}
    for name, parameter in _parameters(_PARAMETER, semicolon + rest):
        if name in found or name not in ("name", "filename"):
            raise _malformed("A field may have a name and a filename, each once (RFC 7578 section 4.2).")
        found[name] = parameter
    name = found.get("name", "")
    if not name or not name.isascii() or "\\" in name:
        raise _malformed("Every field needs a name in ASCII.")
    return name, found.get("filename")


def _parameters(pattern: re.Pattern[str], text: str) -> list[tuple[str, str]]:
    """The parameters of a header, names in lower case: every character of it belongs to one."""
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        match = pattern.match(text, position)
        if match is None:
            raise _malformed("A header of the form has parameters that cannot be read.")
        name, quoted, token = match.groups()
        found.append((name.lower(), token if quoted is None else quoted))
        position = match.end()
    return found


def _last_part(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _malformed("The form is not UTF-8.") from None


def _malformed(why: str) -> RequestError:
    return RequestError(Reason.POST_FORM_MALFORMED, why)
