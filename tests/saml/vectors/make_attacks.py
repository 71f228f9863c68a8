# SPDX-License-Identifier: Apache-2.0
"""
The attack documents, as data: ``python tests/saml/vectors/make_attacks.py > tests/saml/vectors/attacks.json``.

Each attack with its why, its verdict (the error's reason), and for each implementation's genuine response the SHA-256 of the
document (none where the attacker's key, made anew each time, is in it) and whether python-xmlsec accepts a signature in it.
"""

from __future__ import annotations

import json
from typing import Any

from saml.documents import IMPLEMENTATIONS
from saml.recorded import recorded

if __name__ == "__main__":
    table: dict[str, Any] = {
        "source": "tests/saml/attacks.py, on genuine-*.json",
        "generator": "tests/saml/vectors/make_attacks.py",
        "implementations": list(IMPLEMENTATIONS),
        "attacks": recorded(),
    }
    print(json.dumps(table, indent=1))
