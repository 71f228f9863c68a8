# SPDX-License-Identifier: Apache-2.0
"""
The permissions that a request needs: the row of its operation, and what its headers and its body add.

    reading + facts of the body -- offered --> condition keys of the request -- keys of the action --> Needed
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from daypass.gateway.actions.s3.bodies import BUCKET_TAGGED, PASSED_ROLE, Facts, event_hold_days, tagging_header
from daypass.gateway.actions.s3.deletions import read_deletion
from daypass.gateway.actions.s3.keys import ACTION_KEYS, HEADER_KEYS, NUMBERS, PREFIXES, QUERY_KEYS
from daypass.gateway.actions.s3.names import (
    ALL_BUCKETS,
    Source,
    bucket_arn,
    checked_prefix,
    malformed,
    object_arn,
    read_copy_source,
)
from daypass.gateway.actions.s3.permissions import ROWS
from daypass.gateway.actions.s3.reading import Reading
from daypass.gateway.asking import Needed
from daypass.identity import ContextValue
from daypass.policy import values

COPIED_TAGS: Final = frozenset({"s3:GetObjectTagging", "s3:GetObjectVersionTagging", "s3:PutObjectTagging"})
"""The actions that a copy needs for tags that come from its source."""

WRITE_HEADERS: Final[Mapping[bytes, str]] = {
    b"x-amz-acl": "s3:PutObjectAcl",
    b"x-amz-grant-full-control": "s3:PutObjectAcl",
    b"x-amz-grant-read": "s3:PutObjectAcl",
    b"x-amz-grant-read-acp": "s3:PutObjectAcl",
    b"x-amz-grant-write-acp": "s3:PutObjectAcl",
    b"x-amz-tagging": "s3:PutObjectTagging",
    b"x-amz-object-lock-mode": "s3:PutObjectRetention",
    b"x-amz-object-lock-retain-until-date": "s3:PutObjectRetention",
    b"x-amz-object-lock-event-hold": "s3:PutObjectRetention",
    b"x-amz-object-lock-event-hold-duration-days": "s3:PutObjectRetention",
    b"x-amz-object-lock-event-hold-duration-years": "s3:PutObjectRetention",
    b"x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
}
"""What a header of PutObject, CopyObject and CreateMultipartUpload needs beside PutObject."""

_BUCKET_GRANTS: Final = (
    b"x-amz-grant-full-control",
    b"x-amz-grant-read",
    b"x-amz-grant-read-acp",
    b"x-amz-grant-write",
    b"x-amz-grant-write-acp",
)
_BYPASS: Final = b"x-amz-bypass-governance-retention"
_YEARS: Final = b"x-amz-object-lock-event-hold-duration-years"
_UNTIL: Final = "s3:object-lock-retain-until-date"
_CREATES: Final[Mapping[str, str]] = {
    "PutObject": "true",
    "CopyObject": "true",
    "CompleteMultipartUpload": "true",
    "CreateMultipartUpload": "false",
    "UploadPart": "false",
    "UploadPartCopy": "false",
}
_READS: Final = frozenset({"GET", "HEAD"})
_NONE: Final[tuple[str, ...]] = ()
_MOST: Final = 2**31 - 1
_NO_KEYS: Final[frozenset[str]] = frozenset()


def needs_by_row(reading: Reading) -> tuple[Needed, ...] | None:
    """
    What a request needs that only reads, and whose actions have no condition keys but the general ones: an object without a
    version, say. None for all others, for ``Needs``.
    """
    actions = _BY_ROW.get(reading.route.name, _NONE)
    if not actions or reading.version is not None:
        return None
    resource = object_arn(reading.bucket, reading.key) if reading.key else bucket_arn(reading.bucket)
    general = _general(reading)
    return tuple([Needed(action, resource, general) for action in actions])


class Needs:
    """What one request needs, and the condition keys that it has a value for (``offered``, by name in lower case)."""

    def __init__(self, reading: Reading, facts: Facts, *, empty_segments: bool) -> None:
        self.reading = reading
        self.facts = facts
        self.empty_segments = empty_segments
        self.general = _general(reading)
        self.bucket = bucket_arn(reading.bucket) if reading.bucket else ALL_BUCKETS
        self.resource = object_arn(reading.bucket, reading.key) if reading.key else self.bucket
        writes = reading.route.method not in _READS
        self.also = _without_slash(self.resource) if writes and not empty_segments else ""
        row = ROWS[reading.route.name]
        self._actions = row.actions if reading.version is None else row.versioned
        extra = _EXTRA.get(reading.route.name)
        self._extra = extra
        simple = extra is None and not any(action in ACTION_KEYS for action in self._actions)
        self.source = _source(reading, empty_segments=empty_segments) if reading.route.copies else None
        self.offered: Mapping[str, ContextValue] = {} if simple else self._offered()

    def all(self) -> tuple[Needed, ...]:
        """The permissions that are all needed, each once."""
        found = [self.needed(action, self.resource) for action in self._actions]
        if self._extra is None:
            return tuple(found)
        extra = list(self._extra(self))
        # What is read comes first: a denial of both names the object that the caller may not see.
        found = extra + found if self.reading.route.copies else found + extra
        return tuple({(one.action, one.resource): one for one in found}.values())

    def needed(self, action: str, resource: str) -> Needed:
        """A permission with the keys of the request that the action has."""
        also = self.also if resource == self.resource else ""
        known = ACTION_KEYS.get(action, _NO_KEYS)
        if not known or not self.offered:
            return Needed(action, resource, self.general, also)
        keys = dict(self.general)
        for name, value in self.offered.items():
            if name in known or ("/" in name and name[: name.index("/") + 1] in known):
                keys[name] = value
        return Needed(action, resource, keys, also)

    def _offered(self) -> dict[str, ContextValue]:
        """Every condition key that the request has a value for."""
        reading = self.reading
        offered: dict[str, ContextValue] = {}
        for name, value in reading.parameters.items():
            key = QUERY_KEYS.get(name)
            if key is not None:
                offered[key] = _checked(name, value, empty_segments=self.empty_segments)
        for name in reading.headers:
            key = HEADER_KEYS.get(name)
            if key is not None:
                offered[key] = reading.header(name) or ""
        years = reading.header(_YEARS)
        if years is not None:
            offered["s3:object-lock-event-hold-duration-days"] = event_hold_days(years, "Years")
        if b"x-amz-tagging" in reading.headers:
            offered |= tagging_header(reading.headers[b"x-amz-tagging"])
        if self.source is not None:
            offered["s3:x-amz-copy-source"] = f"{self.source.bucket}/{self.source.key}"
        if reading.route.name in _CREATES:
            offered["s3:objectcreationoperation"] = _CREATES[reading.route.name]
        offered |= self.facts
        until = offered.get(_UNTIL)
        if isinstance(until, str) and values.instant(until) is None:
            raise malformed("The date until which the object is retained is no date.")
        return offered


def deletions_apart(needs: Needs, body: bytes | None) -> tuple[tuple[Needed, ...], tuple[Needed, ...]]:
    """Of DeleteObjects: what all of it needs (to bypass a retention), and what each object needs, in their order."""
    deletions = read_deletion(body, empty_segments=needs.empty_segments)
    bucket, general = needs.reading.bucket, needs.general
    each: list[Needed] = []
    for item in deletions.items:
        arn = object_arn(bucket, item.key)
        also = "" if needs.empty_segments else _without_slash(arn)
        if item.version is not None:
            each.append(Needed("s3:DeleteObjectVersion", arn, {**general, "s3:versionid": item.version}, also))
        elif item.etag is not None:
            each.append(Needed("s3:DeleteObject", arn, {**general, "s3:if-match": item.etag}, also))
        else:
            each.append(Needed("s3:DeleteObject", arn, general, also))
    if not needs.reading.says_true(_BYPASS):
        return (), tuple(each)
    arns = dict.fromkeys(one.resource for whole in each for one in whole.by_every_name)
    return tuple(needs.needed("s3:BypassGovernanceRetention", arn) for arn in arns), tuple(each)


def _without_slash(resource: str) -> str:
    """
    What a store of files may take for an object whose key ends with a slash: JuiceFS's gateway deletes, tags and overwrites
    ``a/b`` when it is asked for ``a/b/``, and finds nothing when it is asked to read it. Empty for other keys.
    """
    return resource[:-1] if resource.endswith("/") else ""


def _write(needs: Needs) -> Iterator[Needed]:
    for header, action in WRITE_HEADERS.items():
        if needs.reading.headers.get(header) or (header != b"x-amz-tagging" and header in needs.reading.headers):
            yield needs.needed(action, needs.resource)


def _copy(needs: Needs) -> Iterator[Needed]:
    directive = needs.reading.header(b"x-amz-tagging-directive") or "COPY"
    if directive not in ("COPY", "REPLACE"):
        raise malformed("The header 'x-amz-tagging-directive' is neither COPY nor REPLACE.")
    yield _of_source(needs, "s3:GetObject", "s3:GetObjectVersion")
    if directive == "COPY":
        yield _of_source(needs, "s3:GetObjectTagging", "s3:GetObjectVersionTagging")
        yield needs.needed("s3:PutObjectTagging", needs.resource)
    yield from _write(needs)


def _copy_part(needs: Needs) -> Iterator[Needed]:
    yield _of_source(needs, "s3:GetObject", "s3:GetObjectVersion")


def _source(reading: Reading, *, empty_segments: bool) -> Source:
    return read_copy_source(reading.headers[b"x-amz-copy-source"], empty_segments=empty_segments)


def _of_source(needs: Needs, current: str, versioned: str) -> Needed:
    source = needs.source or _source(needs.reading, empty_segments=needs.empty_segments)
    if source.version is None:
        return Needed(current, source.arn, needs.general)
    return Needed(versioned, source.arn, {**needs.general, "s3:versionid": source.version})


def _bypass(needs: Needs) -> Iterator[Needed]:
    if needs.reading.says_true(_BYPASS):
        yield needs.needed("s3:BypassGovernanceRetention", needs.resource)


def _create_bucket(needs: Needs) -> Iterator[Needed]:
    reading = needs.reading
    acl = reading.header(b"x-amz-acl")
    if acl not in (None, "private") or any(grant in reading.headers for grant in _BUCKET_GRANTS):
        yield needs.needed("s3:PutBucketAcl", needs.bucket)
    if reading.says_true(b"x-amz-bucket-object-lock-enabled"):
        yield needs.needed("s3:PutBucketObjectLockConfiguration", needs.bucket)
        yield needs.needed("s3:PutBucketVersioning", needs.bucket)
    if b"x-amz-object-ownership" in reading.headers:
        yield needs.needed("s3:PutBucketOwnershipControls", needs.bucket)
    if BUCKET_TAGGED in needs.offered:
        yield needs.needed("s3:TagResource", needs.bucket)


def _replicate(needs: Needs) -> Iterator[Needed]:
    role = needs.facts.get(PASSED_ROLE)
    if isinstance(role, str):
        yield Needed("iam:PassRole", role, {"iam:passedtoservice": "s3.amazonaws.com"})


_EXTRA: Final[Mapping[str, Callable[[Needs], Iterator[Needed]]]] = {
    "PutObject": _write,
    "CopyObject": _copy,
    "CreateMultipartUpload": _write,
    "UploadPartCopy": _copy_part,
    "DeleteObject": _bypass,
    "PutObjectRetention": _bypass,
    "CreateBucket": _create_bucket,
    "PutBucketReplication": _replicate,
}

_BY_ROW: Final[Mapping[str, tuple[str, ...]]] = {
    name: row.actions
    for name, row in ROWS.items()
    if name.startswith(("Get", "Head")) and name not in _EXTRA and ACTION_KEYS.keys().isdisjoint(row.actions)
}
"""
The actions of operations that read, where the row says it all. INVARIANT: their requests name a bucket.
"""

ALSO_NEEDED: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "PutObject": tuple((action, f"with `{header.decode()}`") for header, action in WRITE_HEADERS.items()),
    "CreateMultipartUpload": tuple((action, f"with `{header.decode()}`") for header, action in WRITE_HEADERS.items()),
    "CopyObject": (
        ("s3:GetObject", "on the source"),
        ("s3:GetObjectVersion", "on the source instead, where it names a version"),
        ("s3:GetObjectTagging", "on the source, unless `x-amz-tagging-directive` is `REPLACE`"),
        ("s3:GetObjectVersionTagging", "on the source instead, where it names a version"),
        ("s3:PutObjectTagging", "unless `x-amz-tagging-directive` is `REPLACE`"),
        *((action, f"with `{header.decode()}`") for header, action in WRITE_HEADERS.items()),
    ),
    "UploadPartCopy": (
        ("s3:GetObject", "on the source"),
        ("s3:GetObjectVersion", "on the source instead, where it names a version"),
    ),
    "DeleteObject": (("s3:BypassGovernanceRetention", "with `x-amz-bypass-governance-retention`"),),
    "PutObjectRetention": (("s3:BypassGovernanceRetention", "with `x-amz-bypass-governance-retention`"),),
    "DeleteObjects": (
        ("s3:DeleteObject", "on each object, decided apart"),
        ("s3:DeleteObjectVersion", "on each object that is named with a version, decided apart"),
        ("s3:BypassGovernanceRetention", "on all objects, with `x-amz-bypass-governance-retention`"),
    ),
    "CreateBucket": (
        ("s3:PutBucketAcl", "with `x-amz-acl` other than `private`, or `x-amz-grant-*`"),
        ("s3:PutBucketObjectLockConfiguration", "with `x-amz-bucket-object-lock-enabled`"),
        ("s3:PutBucketVersioning", "with `x-amz-bucket-object-lock-enabled`"),
        ("s3:PutBucketOwnershipControls", "with `x-amz-object-ownership`"),
        ("s3:TagResource", "with tags in the body"),
    ),
    "PutBucketReplication": (("iam:PassRole", "on the role in the body"),),
}
"""The same in words, for docs/s3-actions.md; a test compares the actions with what requests are found to need."""


def _general(reading: Reading) -> dict[str, ContextValue]:
    keys: dict[str, ContextValue] = {
        "s3:authtype": "REST-QUERY-STRING" if reading.presigned else "REST-HEADER",
        "s3:signatureversion": "AWS4-HMAC-SHA256",
    }
    if reading.payload is not None:
        keys["s3:x-amz-content-sha256"] = reading.payload
    return keys


def _checked(name: bytes, value: str, *, empty_segments: bool) -> str:
    if name in NUMBERS and not (value.isascii() and value.isdecimal() and len(value) <= 10 and int(value) <= _MOST):
        raise malformed(f"The parameter {name.decode()!r} is not a number.")
    if name in PREFIXES:
        return checked_prefix(value, empty_segments=empty_segments)
    return value
