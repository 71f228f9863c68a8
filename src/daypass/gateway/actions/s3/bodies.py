# SPDX-License-Identifier: Apache-2.0
"""
What bodies say that policies may ask about: tags, retention, legal hold, location, inventory fields, a role that is passed.

The XML is read by the one parser (``daypass.saml.xml``: no DOCTYPE, entity, comment, instruction or CDATA) and must have the
shape of botocore's model: an element that is there twice, or has attributes or another namespace, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from lxml import etree

from daypass.errors import ProofError
from daypass.gateway.actions.s3.keys import OBJECT_TAG, OBJECT_TAG_KEYS
from daypass.gateway.actions.s3.limits import (
    MAX_BUCKET_TAGS,
    MAX_ELEMENTS,
    MAX_OBJECT_TAGS,
    MAX_REPLICATION_BODY,
    MAX_REPLICATION_ELEMENTS,
    MAX_SETTING_BODY,
    MAX_TAG_KEY,
    MAX_TAG_VALUE,
    MAX_TAGGING_BODY,
)
from daypass.gateway.actions.s3.names import decoded, malformed
from daypass.identity import ContextValue
from daypass.saml.xml import Element, has_mixed_content, read_open_xml

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
Facts = dict[str, ContextValue]
"""Condition keys that a body brings. Those that are no key of any action say more about the request: see ``needs``."""

PASSED_ROLE: Final = "role"
BUCKET_TAGGED: Final = "aws:tagkeys"


def read_document(body: bytes | None, name: str, *, max_bytes: int, max_elements: int = MAX_ELEMENTS) -> Element:
    """The root of a body, which must be called so. Raises RequestError (MALFORMED_REQUEST)."""
    if body is None:
        raise malformed("Expected a request whose body can be read as a whole.")
    try:
        root = read_open_xml(body, max_bytes=max_bytes, max_elements=max_elements)
    except ProofError as error:
        raise malformed(f"The body is not XML that is read here. {error}") from None
    if local_name(root) != name or has_mixed_content(root):
        raise malformed(f"Expected a body whose element is {name}.")
    return root


def local_name(element: Element) -> str:
    """The name of an element of S3's. Raises RequestError (MALFORMED_REQUEST) for another namespace, and for attributes."""
    name = etree.QName(element)
    if name.namespace not in (None, NAMESPACE) or element.attrib:
        raise malformed("The body has an element with attributes or in a namespace that is not S3's.")
    return name.localname


def children(element: Element, *allowed: str) -> dict[str, Element]:
    """The elements inside by name, each once. Raises RequestError (MALFORMED_REQUEST) for another, where some are allowed."""
    found: dict[str, Element] = {}
    for child in element:
        name = local_name(child)
        if name in found or (allowed and name not in allowed):
            raise malformed(f"The body has an element inside {local_name(element)} that is not expected, or twice.")
        found[name] = child
    return found


def text(element: Element) -> str:
    """The text of an element. Raises RequestError (MALFORMED_REQUEST) when there are elements inside."""
    if len(element):
        raise malformed(f"Expected text in {local_name(element)}.")
    return element.text or ""


def tagging_header(value: bytes) -> Facts:
    """The keys of the tags in ``x-amz-tagging``, which is a query: ``key=value&...``. Raises RequestError."""
    if not value.isascii() or b";" in value:
        raise malformed("The header 'x-amz-tagging' is not a percent-encoded query.")
    pairs = [piece.partition(b"=") for piece in value.split(b"&") if piece]
    # NOTE: this is a form, in which a plus is a space for all readers.
    return object_tags([(_form(key), _form(val)) for key, _, val in pairs])


def object_tags(tags: Sequence[tuple[str, str]]) -> Facts:
    """The condition keys of tags that an object gets. Raises RequestError (MALFORMED_REQUEST)."""
    _check_tags(tags, MAX_OBJECT_TAGS)
    if not tags:
        return {}
    return {**_tag_keys(OBJECT_TAG, tags), OBJECT_TAG_KEYS: tuple(key for key, _ in tags)}


def _tag_keys(family: str, tags: Sequence[tuple[str, str]]) -> Facts:
    """One condition key for each tag; keys that differ only in case are one, with all their values."""
    found: Facts = {}
    for key, value in tags:
        name = family + key.lower()
        before = found.get(name)
        found[name] = value if before is None else (*((before,) if isinstance(before, str) else before), value)
    return found


def tags_of(document: str) -> list[tuple[str, str]]:
    """The tags in the field ``tagging`` of a form, which is XML as that of PutObjectTagging. Raises RequestError."""
    return _tags_in(read_document(document.encode(), "Tagging", max_bytes=MAX_TAGGING_BODY))


def _tagging(root: Element) -> Facts:
    return object_tags(_tags_in(root))


def _tags_in(root: Element) -> list[tuple[str, str]]:
    inner = children(root, "TagSet")
    if "TagSet" not in inner:
        raise malformed("Expected a TagSet.")
    return _tag_set(inner["TagSet"])


def _tag_set(element: Element) -> list[tuple[str, str]]:
    tags: list[tuple[str, str]] = []
    for child in element:
        if local_name(child) != "Tag":
            raise malformed("Expected tags in a TagSet.")
        parts = children(child, "Key", "Value")
        if len(parts) != 2:
            raise malformed("Expected a key and a value in a tag.")
        tags.append((text(parts["Key"]), text(parts["Value"])))
    return tags


def _check_tags(tags: Sequence[tuple[str, str]], most: int) -> None:
    if len(tags) > most or len({key for key, _ in tags}) != len(tags):
        raise malformed(f"Expected at most {most} tags, each with a key of its own.")
    for key, value in tags:
        if not 1 <= len(key) <= MAX_TAG_KEY or len(value) > MAX_TAG_VALUE:
            raise malformed(
                f"A tag has a key of 1 to {MAX_TAG_KEY} characters, and a value of at most {MAX_TAG_VALUE}."
            )


def _retention(root: Element) -> Facts:
    parts = children(root, "Mode", "RetainUntilDate", "EventHold", "EventHoldDuration")
    facts: Facts = {}
    for name, key in (
        ("Mode", "s3:object-lock-mode"),
        ("RetainUntilDate", "s3:object-lock-retain-until-date"),
        ("EventHold", "s3:object-lock-event-hold"),
    ):
        if name in parts:
            facts[key] = text(parts[name]).strip()
    if "EventHoldDuration" in parts:
        spans = children(parts["EventHoldDuration"], "Days", "Years")
        for unit, inner in spans.items():
            facts["s3:object-lock-event-hold-duration-days"] = event_hold_days(text(inner).strip(), unit)
    return facts


def event_hold_days(number: str, unit: str) -> str:
    """The days of an event hold that is given in ``Days`` or ``Years``. Raises RequestError (MALFORMED_REQUEST)."""
    if not number.isascii() or not number.isdecimal() or len(number) > 6:
        raise malformed("The duration of an event hold is a number.")
    return str(int(number) * (365 if unit == "Years" else 1))


def _legal_hold(root: Element) -> Facts:
    parts = children(root, "Status")
    return {"s3:object-lock-legal-hold": text(parts["Status"]).strip()} if parts else {}


def _bucket(root: Element) -> Facts:
    """Of a new bucket. ``Location`` and ``Bucket`` are of directory buckets and refused."""
    parts = children(root, "LocationConstraint", "Tags")
    facts: Facts = {}
    if "LocationConstraint" in parts:
        facts["s3:locationconstraint"] = text(parts["LocationConstraint"]).strip()
    if "Tags" in parts:
        tags = _tag_set(parts["Tags"])
        _check_tags(tags, MAX_BUCKET_TAGS)
        facts |= _tag_keys("aws:requesttag/", tags)
        if tags:
            facts[BUCKET_TAGGED] = tuple(key for key, _ in tags)
    return facts


def _inventory(root: Element) -> Facts:
    fields = children(root).get("OptionalFields")
    if fields is None:
        return {}
    return {"s3:inventoryaccessibleoptionalfields": tuple(text(field).strip() for field in fields)}


def _replication(root: Element) -> Facts:
    roles = [child for child in root if local_name(child) == "Role"]
    if len(roles) > 1:
        raise malformed("The body has two roles.")
    role = text(roles[0]).strip() if roles else ""
    return {PASSED_ROLE: role} if role else {}


def _encryption(root: Element) -> Facts:
    parts = children(root, "SSE-KMS")
    if not parts:
        raise malformed("Expected an encryption.")
    inner = children(parts["SSE-KMS"], "KMSKeyArn", "BucketKeyEnabled")
    facts: Facts = {"s3:x-amz-server-side-encryption": "aws:kms"}
    if "KMSKeyArn" in inner:
        facts["s3:x-amz-server-side-encryption-aws-kms-key-id"] = text(inner["KMSKeyArn"]).strip()
    return facts


def _restore(root: Element) -> Facts:
    """Of a restore: no facts. One that selects writes its result into any bucket, and is refused."""
    children(root, "Days", "GlacierJobParameters", "Tier", "Description")
    return {}


Body = tuple[str, int, int, Callable[[Element], Facts], bool]
"""Name of the element, bytes and elements at most, what is read of it, and whether it may be left out."""

BODIES: Final[Mapping[str, Body]] = {
    "PutObjectTagging": ("Tagging", MAX_TAGGING_BODY, MAX_ELEMENTS, _tagging, False),
    "PutObjectRetention": ("Retention", MAX_SETTING_BODY, MAX_ELEMENTS, _retention, True),
    "PutObjectLegalHold": ("LegalHold", MAX_SETTING_BODY, MAX_ELEMENTS, _legal_hold, True),
    "CreateBucket": ("CreateBucketConfiguration", MAX_SETTING_BODY, MAX_ELEMENTS, _bucket, True),
    "PutBucketInventoryConfiguration": (
        "InventoryConfiguration",
        MAX_SETTING_BODY,
        MAX_ELEMENTS,
        _inventory,
        False,
    ),
    "PutBucketReplication": (
        "ReplicationConfiguration",
        MAX_REPLICATION_BODY,
        MAX_REPLICATION_ELEMENTS,
        _replication,
        False,
    ),
    "UpdateObjectEncryption": ("ObjectEncryption", MAX_SETTING_BODY, MAX_ELEMENTS, _encryption, False),
    "RestoreObject": ("RestoreRequest", MAX_SETTING_BODY, MAX_ELEMENTS, _restore, True),
}
"""The operations whose body is read, but for DeleteObjects (``deletions``)."""


def body_facts(operation: str, body: bytes | None) -> Facts:
    """What the body of an operation of ``BODIES`` brings. Raises RequestError (MALFORMED_REQUEST)."""
    name, max_bytes, max_elements, read, optional = BODIES[operation]
    if optional and body is not None and not body[:max_bytes].strip(b" \t\r\n"):
        return {}
    return read(read_document(body, name, max_bytes=max_bytes, max_elements=max_elements))


def _form(part: bytes) -> str:
    return decoded(part.replace(b"+", b" "))
