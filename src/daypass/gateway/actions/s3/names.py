# SPDX-License-Identifier: Apache-2.0
"""
Buckets, keys and the ARNs of both, from raw paths and from the source of a copy (S3 User Guide, naming rules).

A key is decoded once from the bytes that go to the backend, so that what is decided is about the object that is touched. A
key that some backend reads as another one is refused: dot segments, and empty segments unless the backend is known to keep
them apart (S3 does; stores of files do not).
"""

from __future__ import annotations

import functools
import re
from typing import Final

import msgspec

from daypass.errors import AuthenticationError, Reason, RequestError
from daypass.gateway.actions.s3.limits import MAX_BUCKET_NAME, MAX_KEY_BYTES, MIN_BUCKET_NAME
from daypass.sigv4.canonical import percent_decoded

_BUCKET: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?!\.))*[a-z0-9]", re.ASCII)
_ADDRESS: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+", re.ASCII)
_OTHER_KINDS: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
"""Ends of names that are access points, Object Lambdas, directory buckets and table buckets, which have other ARNs."""

RESERVED: Final = frozenset({"minio", "moto-api", "rustfs"})
"""What paths of another interface of a store begin with: MinIO's for administration (JuiceFS's gateway has it too), RustFS's,
moto's. They take the signature of the key that the store knows, and an object's path for an order."""

_ROOMS: Final = re.compile(r"\.(?:minio\.sys|sgwtmp|sys|trash|uploads)(?:/|$)", re.ASCII)
"""Folders of stores of files in a bucket: uploads that are not complete, and what was deleted, of every key (JuiceFS's gateway
with one bucket, SeaweedFS, Versity's gateway). Who is denied ``blue/*`` would find there what is to be, or was, below it."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_DOT_SEGMENT: Final = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")
_PREFIX_DOTS: Final = re.compile(r"(?:^|/)(?:\.{1,2}/|\.\.$)")
_PREFIX: Final = "arn:aws:s3:::"
_VERSION: Final = b"?versionId="
_ID: Final = re.compile(r"[A-Za-z0-9._~:@!$'()*+,=-][A-Za-z0-9._~:@!$'()*+,=/-]*", re.ASCII)
"""Ids of S3's own have had slashes (S3 API, DeleteObject, examples). Left out is what ends a path or parts a query."""

ALL_BUCKETS: Final = _PREFIX + "*"
"""The resource of ListAllMyBuckets: covered by ``*`` and by ``arn:aws:s3:::*``, and by the ARN of no bucket."""


class Source(msgspec.Struct, frozen=True):
    """The source of a copy: bucket, key (decoded), and the version, if one is named."""

    bucket: str
    key: str
    version: str | None

    @property
    def arn(self) -> str:
        return object_arn(self.bucket, self.key)


def bucket_arn(bucket: str) -> str:
    """The ARN of a bucket."""
    return _PREFIX + bucket


def object_arn(bucket: str, key: str) -> str:
    """The ARN of an object; the key stands in it literally, whatever its characters."""
    return f"{_PREFIX}{bucket}/{key}"


def owner_of(resource: str) -> str:
    """The ARN of the bucket that a resource (an ARN of this module) is or is in; empty where it is no bucket's."""
    if not resource.startswith(_PREFIX) or resource == ALL_BUCKETS:
        return ""
    return resource.partition("/")[0]


@functools.lru_cache(maxsize=1024)  # the same few are asked for all day; only names of buckets are kept
def checked_bucket(name: str) -> str:
    """The name itself. Raises RequestError (MALFORMED_REQUEST) for one that no general purpose bucket can have."""
    if (
        not MIN_BUCKET_NAME <= len(name) <= MAX_BUCKET_NAME
        or _BUCKET.fullmatch(name) is None
        or _ADDRESS.fullmatch(name)
    ):
        raise malformed("The name of a bucket is 3 to 63 small letters, digits, dots and hyphens.")
    if name in RESERVED:
        raise malformed("The name of the bucket is not one that a bucket can have behind this service.")
    if name.endswith(_OTHER_KINDS):
        raise malformed("Access points, directory buckets and table buckets are not served here; name a bucket.")
    return name


def checked_key(key: str, *, empty_segments: bool) -> str:
    """The key itself. Raises RequestError (MALFORMED_REQUEST) for one that is empty, too long, or not read by all alike."""
    if not key or len(key) > MAX_KEY_BYTES or len(key.encode()) > MAX_KEY_BYTES:
        raise malformed(f"The key of an object is 1 to {MAX_KEY_BYTES} bytes long.")
    if _CONTROL.search(key) is not None:
        raise malformed("The key of an object has a control character.")
    if "." in key and _DOT_SEGMENT.search(key) is not None:
        raise malformed("The key of an object has a segment '.' or '..'.")
    if not empty_segments and (key[0] == "/" or "//" in key):
        raise malformed("The key of an object has an empty segment, which this backend may not keep apart.")
    if not empty_segments and _ROOMS.match(key) is not None:
        raise malformed("The key of an object is in a folder that this backend may keep for itself.")
    return key


def checked_prefix(prefix: str, *, empty_segments: bool) -> str:
    """The beginning of keys that is listed, itself. Raises RequestError (MALFORMED_REQUEST) as ``checked_key``, but that it
    may be empty and end anywhere."""
    if len(prefix) > MAX_KEY_BYTES or len(prefix.encode()) > MAX_KEY_BYTES or _CONTROL.search(prefix) is not None:
        raise malformed("The prefix is too long or has a control character.")
    if "." in prefix and _PREFIX_DOTS.search(prefix) is not None:
        raise malformed("The prefix has a segment '.' or '..'.")
    if not empty_segments and (prefix[:1] == "/" or "//" in prefix):
        raise malformed("The prefix has an empty segment, which this backend may not keep apart.")
    if not empty_segments and _ROOMS.match(prefix) is not None:
        raise malformed("The prefix is of a folder that this backend may keep for itself.")
    return prefix


def split_path(path: bytes, bucket: str | None, *, empty_segments: bool) -> tuple[str | None, str | None]:
    """
    The bucket and the key that a raw path names, each None where it names none.

    ``bucket``: the one that the host names; then the whole path is the key. Raises RequestError (MALFORMED_REQUEST).
    """
    if path[:1] != b"/":
        raise malformed("The path does not start with a slash.")
    if bucket is not None:
        checked_bucket(bucket)
        return bucket, _key(path[1:], empty_segments=empty_segments)
    if path == b"/":
        return None, None
    raw_bucket, _, raw_key = path[1:].partition(b"/")
    # NOTE: nothing is decoded here: an escaped slash would part the path for a reader that decodes first.
    name = checked_bucket(raw_bucket.decode("latin-1"))
    return name, _key(raw_key, empty_segments=empty_segments)


def read_copy_source(value: bytes, *, empty_segments: bool) -> Source:
    """
    The source that ``x-amz-copy-source`` names: ``/bucket/key`` or ``bucket/key``, percent-encoded, with ``?versionId=``.

    Raises RequestError (MALFORMED_REQUEST) for an ARN (of an access point, say) and for what two readers may read differently.
    """
    # NOTE: readers of URLs of RFC 1808's kind (Python's urlparse) take what follows a semicolon off the path.
    if not value.isascii() or any(sign in value for sign in (b"+", b"#", b"\\", b";")):
        raise malformed(
            "The source of a copy is not percent-encoded; write a plus as %2B, a semicolon as %3B and a space as %20."
        )
    path, mark, version = value.partition(b"?")
    if mark and not (mark + version).startswith(_VERSION):
        raise malformed("The source of a copy has a query that is not a version.")
    version = version.removeprefix(_VERSION[1:])
    if mark and (not version or b"&" in version):
        raise malformed("The source of a copy names no version after versionId.")
    text = decoded(path).removeprefix("/")
    if text[:4].lower() == "arn:":
        raise malformed("The source of a copy is an ARN; name it as bucket/key.")
    name, _, key = text.partition("/")
    if "?versionId=" in key:
        raise malformed("The source of a copy has an escaped query in its key.")
    return Source(
        checked_bucket(name),
        checked_key(key, empty_segments=empty_segments),
        checked_id(decoded(version)) if mark else None,
    )


def checked_id(text: str) -> str:
    """
    The id of a version or of an upload, itself. It can stand in a URL and has at most 1,024 bytes (S3 User Guide, "How S3
    Versioning works"). Raises RequestError (MALFORMED_REQUEST) for another, and for one that leads elsewhere in a store that
    makes names of files of ids.
    """
    if len(text) > MAX_KEY_BYTES or _ID.fullmatch(text) is None or _DOT_SEGMENT.search(text) is not None:
        raise malformed("The id of a version or an upload is empty, too long, or has characters that no id has.")
    return text


def decoded(text: bytes) -> str:
    """What percent escapes stand for, as UTF-8. Raises RequestError (MALFORMED_REQUEST)."""
    try:
        return (percent_decoded(text) if text.find(b"%") >= 0 else text).decode()
    except UnicodeDecodeError:
        raise malformed("A name of the request is not UTF-8.") from None
    except AuthenticationError:
        raise malformed("A name of the request has a percent sign that starts no escape.") from None


def malformed(why: str) -> RequestError:
    """The refusal of a request that is one of S3's, and malformed."""
    return RequestError(Reason.MALFORMED_REQUEST, why)


def _key(raw: bytes, *, empty_segments: bool) -> str | None:
    return checked_key(decoded(raw), empty_segments=empty_segments) if raw else None
