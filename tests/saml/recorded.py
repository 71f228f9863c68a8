# SPDX-License-Identifier: Apache-2.0
"""What is kept of the attack documents (``vectors/attacks.json``), computed again from their generator."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from saml.attacks import ATTACKS, Victim
from saml.documents import IMPLEMENTATIONS, genuine, xmlsec_accepts

MADE_ANEW: Final = frozenset({"signed-by-a-key-that-it-brings", "signed-by-another-key-than-it-names"})
NOT_ASKED: Final = frozenset({"reference-elsewhere", "reference-to-a-file"})
"""xmlsec would fetch what these refer to, and does."""


def recorded() -> dict[str, Any]:
    """By name: why, verdict, and the documents by implementation."""
    table: dict[str, Any] = {}
    for made in ATTACKS:
        documents = {}
        for implementation in IMPLEMENTATIONS:
            known = genuine(implementation)
            document = made.make(Victim(known.response))
            documents[implementation] = {
                "sha256": None if made.name in MADE_ANEW else hashlib.sha256(document).hexdigest(),
                "xmlsec": "not asked"
                if made.name in NOT_ASKED
                else "accepts"
                if xmlsec_accepts(document, known.trust.certificates[0])
                else "refuses",
            }
        table[made.name] = {"why": made.why, "verdict": made.reason.value, "documents": documents}
    return table
