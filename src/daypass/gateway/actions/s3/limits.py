# SPDX-License-Identifier: Apache-2.0
"""
Bounds of what is read of a request for S3, and who else chose them.
"""

from __future__ import annotations

from typing import Final

MAX_KEY_BYTES: Final = 1024
"""Of an object's key, in UTF-8 (S3 User Guide, "Naming Amazon S3 objects")."""

MIN_BUCKET_NAME: Final = 3
MAX_BUCKET_NAME: Final = 63
"""Characters of a bucket's name (S3 User Guide, "General purpose bucket naming rules")."""

MAX_DELETION_KEYS: Final = 1000
"""Objects in one DeleteObjects (S3 API Reference, DeleteObjects)."""

MAX_DELETION_BODY: Final = 2 * 1024 * 1024
"""Bytes of the body of DeleteObjects: a thousand keys of the greatest length, and what is around them (S3's own bound)."""

MAX_DELETION_RESULT: Final = 4 * 1024 * 1024
"""Bytes of a backend's answer to DeleteObjects: each key comes back, with a message where it was not deleted."""

MAX_REPLICATION_BODY: Final = 2 * 1024 * 1024
"""Bytes of a replication configuration (S3 User Guide: at most 2 MB, 1,000 rules)."""

MAX_TAGGING_BODY: Final = 128 * 1024
"""Bytes of a set of tags. Ten tags of the greatest length, every character escaped, are less than 40 KiB."""

MAX_SETTING_BODY: Final = 64 * 1024
"""Bytes of the other bodies that are read: a retention, a legal hold, a location, an inventory, a restore."""

MAX_OBJECT_TAGS: Final = 10
"""Tags of an object (S3 User Guide, "Categorizing your objects using tags")."""

MAX_BUCKET_TAGS: Final = 50
"""Tags of a bucket (S3 User Guide, "Using cost allocation S3 bucket tags")."""

MAX_TAG_KEY: Final = 128
MAX_TAG_VALUE: Final = 256
"""Characters of a tag's key and value (the same page)."""

MAX_ELEMENTS: Final = 8192
"""Elements of a body: a thousand objects with all six that one may have; the replication rules of a bucket are fewer."""

MAX_REPLICATION_ELEMENTS: Final = 40_000
"""Elements of a replication configuration: a thousand rules of about forty."""
