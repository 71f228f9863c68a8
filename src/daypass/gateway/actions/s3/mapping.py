# SPDX-License-Identifier: Apache-2.0
"""
The action map of S3 (``gateway.asking.ActionMap``): operations by botocore's model, permissions as AWS requires them.

Pure. It leaves to others: who is calling, the keys that need the time (``timed``), the tags that an object has already
(``wants_existing_tags``), whose resource policy applies to the source of a copy (``names.owner_of``).
"""

from __future__ import annotations

from typing import Final

import msgspec

from daypass.errors import RequestError
from daypass.gateway.actions.s3.bodies import BODIES, body_facts
from daypass.gateway.actions.s3.keys import EXISTING_TAG_ACTIONS, OBJECT_TAG_KEYS
from daypass.gateway.actions.s3.limits import MAX_DELETION_BODY
from daypass.gateway.actions.s3.names import bucket_arn, malformed
from daypass.gateway.actions.s3.needs import COPIED_TAGS, Needs, deletions_apart, needs_by_row
from daypass.gateway.actions.s3.reading import Reading, read
from daypass.gateway.actions.s3.routes import Table, load_routes
from daypass.gateway.asking import AskedOperation, Incoming, Needed

_READS: Final = frozenset({"GET", "HEAD"})
_WITH_BODY: Final = frozenset({"PUT", "POST"})
NOTHING_APART: Final[tuple[Needed, ...]] = ()
_CODINGS: Final = (b"", b"identity", b"aws-chunked")


class S3Actions:
    """
    What is made of requests for S3.

    ``empty_segments``: whether keys with ``//`` or a leading slash may be asked for. S3 keeps them apart from those without;
    a backend that keeps objects in files does not, and takes ``public//../x`` for what no policy meant, so they are refused
    unless this is set.
    """

    def __init__(self, *, empty_segments: bool = False, table: Table | None = None) -> None:
        self._empty_segments = empty_segments
        self._table = load_routes() if table is None else table

    def body_limit(self, incoming: Incoming) -> int | None:
        """At most how many bytes of body must be read; None where the body does not matter."""
        raw = incoming.raw
        if raw.method not in _WITH_BODY:
            return None
        if not raw.query and raw.path.count(b"/") > 1 and raw.path[-1:] != b"/":
            return None  # an object is put, and no body of an operation without parameters is of interest
        try:
            name = read(incoming, self._table, empty_segments=self._empty_segments).route.name
        except RequestError:
            return None  # ``operation`` will say why
        if name == "DeleteObjects":
            return MAX_DELETION_BODY
        return BODIES[name][1] if name in BODIES else None

    def operation(self, incoming: Incoming) -> AskedOperation:
        """
        What is asked. Raises RequestError: UNSUPPORTED_OPERATION for no operation of S3, several, or one that is refused by
        name; UNKNOWN_PARAMETER for a parameter or header that is not its own; DUPLICATE_PARAMETER; MALFORMED_REQUEST.
        """
        reading = read(incoming, self._table, empty_segments=self._empty_segments)
        name = reading.route.name
        plain = needs_by_row(reading)
        if plain is not None:
            return AskedOperation("s3", name, plain, NOTHING_APART, bucket_arn(reading.bucket), read_only=True)
        facts = self._facts(reading, incoming.body) if name in BODIES else {}
        needs = Needs(reading, facts, empty_segments=self._empty_segments)
        needed, each = needs.all(), NOTHING_APART
        if name == "DeleteObjects":
            _check_coding(reading)
            needed, each = deletions_apart(needs, incoming.body)
        return AskedOperation(
            "s3",
            name,
            needed,
            each,
            bucket_arn(reading.bucket) if reading.bucket else "",
            reading.route.method in _READS or name == "SelectObjectContent",
        )

    def _facts(self, reading: Reading, body: bytes | None) -> dict[str, str | tuple[str, ...]]:
        _check_coding(reading)
        return body_facts(reading.route.name, body)


def _check_coding(reading: Reading) -> None:
    """A body that is read must not be another one once it is decompressed."""
    if reading.headers.get(b"content-encoding", b"").lower() not in _CODINGS:
        raise malformed("The body of this operation must not be compressed.")


def wants_existing_tags(asked: AskedOperation) -> bool:
    """Whether a permission of an operation has the key ``s3:ExistingObjectTag/<key>`` (``existing_tags_apply``)."""
    return not EXISTING_TAG_ACTIONS.isdisjoint([one.action for one in asked.needed])


def existing_tags_apply(action: str) -> bool:
    """
    Whether a permission for this action has the key ``s3:ExistingObjectTag/<key>``: the tags of the object that its resource
    names, in the version that its key ``s3:versionid`` names. A copy has permissions on two objects, with tags of their own.
    """
    return action in EXISTING_TAG_ACTIONS


def without_copied_tags(asked: AskedOperation) -> AskedOperation | None:
    """
    What a CopyObject needs when its source is known to have no tags; None when that makes no difference.

    S3 asks for the permissions of tags only when there are some to copy. **The caller sees to it that none are copied**: it
    forwards the request with ``x-amz-tagging-directive: REPLACE``, because tags may come while it looks. Tags of the request's
    own (``x-amz-tagging``) then count, and their permission stays.
    """
    if asked.name != "CopyObject":
        return None
    kept = tuple(one for one in asked.needed if one.action not in COPIED_TAGS or OBJECT_TAG_KEYS in one.keys)
    reads_tags = any(one.action in COPIED_TAGS and one.action != "s3:PutObjectTagging" for one in asked.needed)
    return msgspec.structs.replace(asked, needed=kept) if reads_tags else None
