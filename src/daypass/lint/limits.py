# SPDX-License-Identifier: Apache-2.0
"""
What bounds a run of the linter, in one place. The size and depth of a document are those of ``daypass.policy.limits``.

The tables of some services have hundreds of rows, and a document may ask for them thousands of times; past these figures a
check is left out and the finding ``not-checked`` says so, so that the time stays near a second for any text.
"""

from __future__ import annotations

from typing import Final

MAX_FINDINGS: Final = 500
"""Findings that are reported for one document; nobody reads more, and a broken generator makes thousands."""
MAX_SUGGESTIONS: Final = 20
"""Searches for the closest name per document: each compares one word with up to a thousand."""
MAX_NAME: Final = 128
"""Characters of a name that a closest name is searched for."""
MAX_STEPS: Final = 200_000
"""Comparisons of a pattern with a row of a table per document; the largest managed policy of AWS needs 25,000."""
MAX_SHOWN: Final = 100
"""Characters of a document's text that a message quotes."""
MAX_LINE: Final = 160
"""Characters of a source line that are shown above the caret; a minified policy is one line of thousands."""
MAX_FILE: Final = 4 * 131_072
"""Bytes of a file that are read: a document of the greatest length, if every character took four bytes."""
