# SPDX-License-Identifier: Apache-2.0
"""
The fields of an upload by a form: what each asks for, and which go on (S3 API, "POST Object", form fields).

    fields -- with_filename --> fields to verify -- equivalent_put --> a PUT that asks for the same -- the action map
                                                 -- onward_fields --> fields of the form that goes to the backend

Pure. So one table, that of PutObject, says what a header and a field of the same name need.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.s3 import tags_of
from daypass.gateway.actions.s3.reading import ANY_OPERATION
from daypass.sigv4 import RawRequest
from daypass.sigv4.canonical import percent_encoded

FILENAME: Final = "${filename}"
"""What stands in a field for the name of the file."""

_CREDENTIAL: Final = frozenset(
    {"policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token"}
)
"""Fields that the caller's signature has made; they end here."""

_IGNORED: Final = "x-ignore-"
"""How fields begin that nobody reads (S3 API, "Creating a POST policy")."""

_PLAIN: Final[Mapping[str, str]] = {
    name.lower(): name
    for name in (
        *("Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-MD5", "Expires"),
        *("success_action_redirect", "success_action_status", "redirect"),
    )
}
"""Fields that need no permission beside PutObject and are no condition key, by name in lower case."""

_HEADERS: Final[Mapping[str, str]] = {"acl": "x-amz-acl", "tagging": "x-amz-tagging"}
"""Fields whose header is called otherwise."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NAME: Final = re.compile(r"[a-z0-9._-]+", re.ASCII)
"""Names that stand in a header, and between quotes, as they are."""


def with_filename(fields: Sequence[tuple[str, str]], filename: str) -> list[tuple[str, str]]:
    """
    The fields as S3 reads them: ``${filename}`` replaced, in whichever field it stands.

    Raises RequestError (POST_FORM_MALFORMED) for a name of a file that would be replaced again by the backend.
    """
    if FILENAME in filename:
        raise RequestError(Reason.POST_FORM_MALFORMED, "The name of the file may not be a variable itself.")
    replaced = [(name, value.replace(FILENAME, filename)) for name, value in fields]
    if any(FILENAME in value for _, value in replaced):
        raise RequestError(Reason.POST_FORM_MALFORMED, "A field has a variable inside another.")
    return replaced


def equivalent_put(fields: Mapping[str, str], bucket: str) -> RawRequest:
    """
    The PUT of an object that asks for what the form does. ``fields``: by name in lower case.

    Raises RequestError: UNKNOWN_PARAMETER for a field that is none of a form, or that has no equivalent; DUPLICATE_PARAMETER
    for two that are the same header; POST_FORM_MALFORMED for a value that no header can have.
    """
    headers: dict[str, str] = {}
    for name, value in fields.items():
        if name in _CREDENTIAL or name in ("key", "bucket") or name.startswith(_IGNORED):
            continue
        if name != "tagging" and _CONTROL.search(value) is not None:
            raise RequestError(Reason.POST_FORM_MALFORMED, f"The field {name[:64]!r} has a control character.")
        if name in _PLAIN:
            continue
        header = _HEADERS.get(name, name)
        if not header.startswith("x-amz-") or _NAME.fullmatch(name) is None or header.encode() in ANY_OPERATION:
            raise RequestError(Reason.UNKNOWN_PARAMETER, f"The field {name[:64]!r} is not taken from a form.")
        if header in headers:
            raise RequestError(Reason.DUPLICATE_PARAMETER, f"The form says {header!r} twice.")
        if name != "tagging" and value != value.strip(" "):
            raise RequestError(Reason.POST_FORM_MALFORMED, f"The field {name[:64]!r} has white space around it.")
        headers[header] = _tags(value) if name == "tagging" else value
    key = b"/".join([percent_encoded(part.encode()) for part in fields["key"].split("/")])
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return RawRequest("PUT", b"/" + percent_encoded(bucket.encode()) + b"/" + key, b"", raw)


def onward_fields(fields: Mapping[str, str]) -> list[tuple[str, str]]:
    """
    The fields that go on to the backend, in the spelling of S3's documentation: those of ``equivalent_put``, which has
    refused what is neither here nor there, the key, and those that say what is answered.
    """
    left_out = (*_CREDENTIAL, "bucket")
    return [
        (_PLAIN.get(name, name), value)
        for name, value in fields.items()
        if name not in left_out and not name.startswith(_IGNORED)
    ]


def _tags(document: str) -> str:
    """The tags of an XML document as the header x-amz-tagging says them."""
    encoded = [(percent_encoded(key.encode()), percent_encoded(value.encode())) for key, value in tags_of(document)]
    return b"&".join([key + b"=" + value for key, value in encoded]).decode()
