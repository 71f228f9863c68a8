# SPDX-License-Identifier: Apache-2.0
"""
Genuine responses of the fake provider, signed by signxml: ``python tests/saml/vectors/make_fake.py assertion|response > FILE``.

The key is made for the occasion and forgotten; what is kept is what an attacker would have seen.
"""

from __future__ import annotations

import base64
import json
import sys
from importlib.metadata import version
from typing import cast

from fakes.saml_idp import AUDIENCE, CONSUMER, NOW, FakeSamlIdp, Sign


def main(sign: Sign) -> None:
    """Print the vector."""
    idp = FakeSamlIdp()
    vector = {
        "implementation": "fake" if sign == "assertion" else "fake-response",
        "source": f"tests/fakes/saml_idp.py, {sign} signed by signxml {version('signxml')}",
        "generator": "tests/saml/vectors/make_fake.py",
        "entity_id": idp.entity_id,
        "audience": AUDIENCE,
        "consumer": CONSUMER,
        "request_id": "_request-1",
        "now": NOW + 1,
        "subject": "alice",
        "certificate": base64.b64encode(idp.certificate).decode(),
        "response": base64.b64encode(idp.response(sign=sign, in_response_to="_request-1")).decode(),
    }
    print(json.dumps(vector, indent=1))


if __name__ == "__main__":
    main(cast(Sign, sys.argv[1]))
