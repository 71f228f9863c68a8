# SPDX-License-Identifier: Apache-2.0
"""Sizes and counts of what is read as a state file, in one place."""

from __future__ import annotations

from typing import Final

STATE_FILE: Final = 1024 * 1024
"""Bytes of the file itself, as of the configuration file: a thousand resources with a policy of a kilobyte each. PyYAML takes
six seconds to read it, beside the requests."""
DOCUMENT_FILE: Final = 65_536
"""Bytes of a file with a policy, as of the body of PutBucketPolicy; what it says has ``resources.limits.BUCKET_POLICY``."""
DOCUMENTS: Final = 16 * 1024 * 1024
"""Bytes of all files with policies together: a thousand of 16 KB."""
RESOURCES: Final = 1_000
"""Resources in a file. Nobody else writes while they are applied, and who wants to waits for five seconds (``store.sqlite``):
a thousand new ones, with a policy each, take three and a half on the slow machine of the tests."""
PATH: Final = 1_024
"""Characters of the path of a policy."""
SHOWN_KEY: Final = 64
"""Characters of an unknown key that a message shows; the longest known one has 23."""
PROBLEMS: Final = 5
"""Mistakes in a file that are told at once; with the first, the next are often of the same kind."""
