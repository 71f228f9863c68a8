# SPDX-License-Identifier: Apache-2.0
"""
DeleteObjects: the keys that its body names, the body without some of them, and the answer with those denied.

    body -- read_deletion --> items --, each decided apart --> deletion_without --> backend -- answer --> deletion_result

Body and answer are written anew from what was read, so a backend sees what was decided and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec
from lxml import etree

from daypass.errors import Reason, RequestError, UnavailableError
from daypass.gateway.actions.s3.bodies import NAMESPACE, children, local_name, read_document, text
from daypass.gateway.actions.s3.limits import MAX_DELETION_BODY, MAX_DELETION_KEYS, MAX_DELETION_RESULT, MAX_ELEMENTS
from daypass.gateway.actions.s3.names import checked_id, checked_key, malformed
from daypass.saml.xml import Element

_NAMES: Final[Any] = {None: NAMESPACE}  # the default namespace has no prefix, which lxml's stubs do not know
_ITEM: Final = ("Key", "VersionId", "ETag", "LastModifiedTime", "Size")
_RESULTS: Final = ("Deleted", "Error")


class Deletion(msgspec.Struct, frozen=True):
    """One object to delete: its key, and the version and the conditions if there are any."""

    key: str
    version: str | None = None
    etag: str | None = None
    modified: str | None = None
    size: str | None = None


class Deletions(msgspec.Struct, frozen=True):
    """The body of a DeleteObjects. ``quiet``: only failures are to be answered; None where it does not say."""

    items: tuple[Deletion, ...]
    quiet: bool | None = None


def read_deletion(body: bytes | None, *, empty_segments: bool = True) -> Deletions:
    """
    What the body of a DeleteObjects names. Raises RequestError (MALFORMED_REQUEST) for one that is not of that shape: another
    element, an object without a key or with two, no object, more than a thousand.
    """
    root = read_document(body, "Delete", max_bytes=MAX_DELETION_BODY)
    quiet: bool | None = None
    items: list[Deletion] = []
    for child in root:
        name = local_name(child)
        if name == "Object":
            items.append(_item(child, empty_segments=empty_segments))
        elif name == "Quiet" and quiet is None:
            quiet = _truth(text(child).strip())
        else:
            raise malformed("The body has an element inside Delete that is not expected, or twice.")
    if not 1 <= len(items) <= MAX_DELETION_KEYS:
        raise malformed(f"Expected 1 to {MAX_DELETION_KEYS} objects to delete.")
    return Deletions(tuple(items), quiet)


def deletion_without(body: bytes, denied: AbstractSet[int]) -> bytes:
    """
    The body with only the objects whose place (from 0) is not in ``denied``. Raises RequestError as ``read_deletion``.

    NOTE: checksums and the length that the caller sent are of another body: they are not to be forwarded.
    """
    deletions = read_deletion(body)
    root = etree.Element(f"{{{NAMESPACE}}}Delete", nsmap=_NAMES)
    for place, item in enumerate(deletions.items):
        if place in denied:
            continue
        element = etree.SubElement(root, f"{{{NAMESPACE}}}Object")
        values = (item.key, item.version, item.etag, item.modified, item.size)
        _append(element, NAMESPACE, zip(_ITEM, values, strict=True))
    if deletions.quiet is not None:
        _append(root, NAMESPACE, [("Quiet", "true" if deletions.quiet else "false")])
    return _written(root)


def deletion_result(backend_xml: bytes | None, denied: Sequence[tuple[str, str | None, str]]) -> bytes:
    """
    The backend's DeleteResult with an error AccessDenied for each (key, version or None, message) that was denied.

    ``backend_xml``: None where nothing was left to ask the backend for. Raises UnavailableError (INTERNAL_FAILURE) when the
    backend's answer is no DeleteResult.
    """
    root = etree.Element(f"{{{NAMESPACE}}}DeleteResult", nsmap=_NAMES)
    if backend_xml is not None:
        for child in _answered(backend_xml):
            element = etree.SubElement(root, f"{{{NAMESPACE}}}{local_name(child)}")
            _append(element, NAMESPACE, [(local_name(inner), text(inner)) for inner in child])
    for key, version, message in denied:
        element = etree.SubElement(root, f"{{{NAMESPACE}}}Error")
        values = [("Key", key), ("VersionId", version), ("Code", "AccessDenied"), ("Message", message)]
        _append(element, NAMESPACE, values)
    return _written(root)


def _answered(backend_xml: bytes) -> list[Element]:
    try:
        root = read_document(backend_xml, "DeleteResult", max_bytes=MAX_DELETION_RESULT, max_elements=MAX_ELEMENTS)
        found = list(root)
        if any(local_name(child) not in _RESULTS for child in found):
            raise malformed("An element is not expected.")
        for child in found:
            for inner in child:
                text(inner)
    except RequestError:
        raise UnavailableError(Reason.INTERNAL_FAILURE, "The backend's answer could not be read.") from None
    return found


def _item(element: Element, *, empty_segments: bool) -> Deletion:
    found = {name: text(child) for name, child in children(element, *_ITEM).items()}
    if "Key" not in found:
        raise malformed("An object to delete has no key.")
    return Deletion(
        checked_key(found["Key"], empty_segments=empty_segments),
        checked_id(found["VersionId"]) if "VersionId" in found else None,
        found.get("ETag"),
        found.get("LastModifiedTime"),
        found.get("Size"),
    )


def _truth(word: str) -> bool:
    if word not in ("true", "false"):
        raise malformed("Quiet is neither true nor false.")
    return word == "true"


def _append(parent: Element, namespace: str, values: Iterable[tuple[str, str | None]]) -> None:
    for name, value in values:
        if value is not None:
            etree.SubElement(parent, f"{{{namespace}}}{name}").text = value


def _written(root: Element) -> bytes:
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)
