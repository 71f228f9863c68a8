# SPDX-License-Identifier: Apache-2.0
"""
Which raw paths and queries may be signed at all: those that every reader reads in the same way.

INVARIANT: two targets that pass here and have the same canonical form mean the same, so a signature over the canonical form
is one over what is routed (DESIGN.md, invariant 2). Canonicalisation alone does not give that: it resolves dot segments,
sorts parameters and takes a plus sign for itself where readers of forms take it for a space.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from daypass.errors import AuthenticationError, Reason
from daypass.sigv4.canonical import PLAIN, Parameter, canonical_path, percent_decoded
from daypass.sigv4.request import PathStyle

_CONTROL_BYTES: Final = bytes((*range(32), 127))
_DELIMITERS: Final = (b"?", b"#", b"\\")
_DOTS: Final = (b".", b"..")


def check_path(path: bytes, style: PathStyle) -> bytes:
    """The canonical form of a raw path that may be routed. Raises AuthenticationError for one that may not:

    - one that does not start with a slash;
    - that has a raw question mark, number sign or backslash, which end the path or part it for some readers;
    - in S3's style, that has a raw plus sign, which some take for a space; elsewhere, that has an empty segment;
    - that has a raw control character, or is not UTF-8 once decoded;
    - that has an escaped control character: in S3's style NUL, elsewhere any (S3 User Guide, "Naming Amazon S3 objects":
      keys may have them);
    - that has a segment ``.`` or ``..``, escaped or not, between slashes, escaped or not.
    """
    if path[:1] == b"/" and not path.translate(None, PLAIN) and path.find(b"/.") < 0 and path.find(b"//") < 0:
        return path  # as most are: all of it means itself
    if path[:1] != b"/":
        raise _refused_path("it does not start with a slash")
    if any(byte in path for byte in _DELIMITERS):
        raise _refused_path("it has a raw question mark, number sign or backslash")
    if style is PathStyle.RAW and b"+" in path:
        raise _refused_path("it has a plus sign; write a plus as %2B and a space as %20")
    decoded = percent_decoded(path)
    if _has_control(path) or (b"\0" in decoded if style is PathStyle.RAW else _has_control(decoded)):
        raise _refused_path("it has a control character")
    try:
        decoded.decode("utf-8")
    except UnicodeDecodeError:
        raise _refused_path("it is not UTF-8") from None
    if any(segment in _DOTS for segment in decoded.split(b"/")):
        raise _refused_path("it has a segment '.' or '..'")
    if style is PathStyle.NORMALISED and b"//" in path:
        raise _refused_path("it has an empty segment")
    return canonical_path(path, style)


def _has_control(text: bytes) -> bool:
    return len(text.translate(None, _CONTROL_BYTES)) != len(text)


def check_query(query: bytes, parameters: Sequence[Parameter]) -> None:
    """Raise AuthenticationError for a raw query (and its parameters) that two readers may read differently:

    - one with a parameter that has no name;
    - with a raw plus sign, which is a plus to signers and a space to readers of forms;
    - with a raw number sign, which ends the query for readers of URLs;
    - with a name that is repeated, unless the values stand in the order in which they are signed.
    """
    if b"#" in query:
        raise _refused_query("it has a raw number sign")
    if b"+" in query:
        raise _refused_query("it has a plus sign; write a plus as %2B and a space as %20")
    last: dict[bytes, bytes] = {}
    for name, value in parameters:
        if not name:
            raise _refused_query("a parameter has no name")
        if last.get(name, b"") > value:
            raise _refused_query("the values of a repeated parameter are not sorted")
        last[name] = value


def _refused_path(why: str) -> AuthenticationError:
    return AuthenticationError(Reason.SIGNED_PATH_REFUSED, f"The path of a signed request is refused: {why}.")


def _refused_query(why: str) -> AuthenticationError:
    return AuthenticationError(Reason.SIGNED_QUERY_REFUSED, f"The query of a signed request is refused: {why}.")
