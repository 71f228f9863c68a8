# SPDX-License-Identifier: Apache-2.0
"""
What is read from, and taken out of, a backend's XML about buckets (S3 API, ListBuckets and GetObjectTagging).

The backend is ours, and still its XML is read by the one hardened parser, bounded by whoever fetched it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from lxml import etree

from daypass.errors import ProofError
from daypass.gateway.upstream import UpstreamError
from daypass.saml.xml import Element, read_open_xml

MAX_BYTES: Final = 8 * 1024 * 1024
"""Of a list of buckets: 10,000 of them have 2 MB."""

MAX_ELEMENTS: Final = 100_000
"""In one: each bucket has four or five."""

_NO_TAGS: Final = 404
"""NoSuchTagSet, NoSuchKey: an object that is not there has no tags, and whoever may read it may hear so."""


def existing_tags(status: int, body: bytes) -> Iterator[tuple[str, str]]:
    """The tags in an answer to GetObjectTagging. Raises UpstreamError when it is neither tags nor that there are none."""
    if status == _NO_TAGS:
        return
    if status != 200:
        raise UpstreamError("malformed")
    for tag in _read(body).iterfind("{*}TagSet/{*}Tag"):
        yield tag.findtext("{*}Key") or "", tag.findtext("{*}Value") or ""


def listing_without(body: bytes, keep: Callable[[str], bool]) -> bytes:
    """A list of buckets with those only whose name is to be kept. Raises UpstreamError for what is no list of buckets."""
    tree = _read(body)
    for bucket in list(tree.iterfind("{*}Buckets/{*}Bucket")):
        parent = bucket.getparent()
        if parent is not None and not keep(bucket.findtext("{*}Name") or ""):
            parent.remove(bucket)
    written: bytes = etree.tostring(tree, xml_declaration=True, encoding="UTF-8")
    return written


def _read(body: bytes) -> Element:
    try:
        return read_open_xml(body, max_bytes=MAX_BYTES, max_elements=MAX_ELEMENTS)
    except ProofError:
        raise UpstreamError("malformed") from None
