# SPDX-License-Identifier: Apache-2.0
"""
The path of a request whose operation is told by method and path, read so that no backend reads another one.

Decoded exactly once. Refused is what backends take in different ways: dot segments and empty segments, escaped slashes and
backslashes (one segment or two?), escapes that are escaped again, semicolons (some cut a segment there), and headers by which
a request asks to be taken for another method or path.
"""

from __future__ import annotations

import re
from typing import Final

from daypass.errors import AuthenticationError, Reason, RequestError
from daypass.sigv4 import PathStyle, RawRequest
from daypass.sigv4.canonical import percent_decoded
from daypass.sigv4.target import check_path

READ_ONLY_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that change nothing (RFC 9110, section 9.2.1)."""

_METHOD: Final = re.compile("[A-Z]{1,20}", re.ASCII)
_ESCAPE: Final = re.compile("%[0-9A-Fa-f]{2}", re.ASCII)
_OVERRIDES: Final = frozenset(
    {b"x-http-method-override", b"x-http-method", b"x-method-override", b"x-original-url", b"x-rewrite-url"}
)
"""Headers by which frameworks let a request replace its method (Rails, Spring, ASP.NET) or its path (IIS, Symfony)."""


def read_path(raw: RawRequest) -> str:
    """The decoded path, which begins with a slash. Raises RequestError (MALFORMED_REQUEST)."""
    if any(name in _OVERRIDES for name, _ in raw.headers):
        raise _refused("it has a header that replaces its method or path")
    if _METHOD.fullmatch(raw.method) is None:
        raise _refused("its method is not known")
    try:
        check_path(raw.path, PathStyle.NORMALISED)
        path = percent_decoded(raw.path).decode("utf-8")
    except AuthenticationError as error:
        raise RequestError(Reason.MALFORMED_REQUEST, str(error)) from None
    if path.count("/") != raw.path.count(b"/") or "\\" in path:
        raise _refused("its path has an escaped slash or backslash")
    if ";" in path:
        raise _refused("its path has a semicolon")
    if _ESCAPE.search(path) is not None:
        raise _refused("its path is escaped twice")
    return path


def _refused(why: str) -> RequestError:
    return RequestError(Reason.MALFORMED_REQUEST, f"The request is refused: {why}.")
