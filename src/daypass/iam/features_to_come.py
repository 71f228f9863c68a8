# SPDX-License-Identifier: Apache-2.0
"""
Lists of what there cannot be any of yet (IAM API): ListSAMLProviders.

Tools ask for them when they take stock of an account, and stop at an error. The answer is true: nothing can be made that they
would show. They move to their features' own modules when those come.
"""

from __future__ import annotations

from daypass.access import Permitted
from daypass.awsapi.parameters import Parameters
from daypass.iam.service import Iam


async def list_saml_providers(_iam: Iam, _permitted: Permitted, _parameters: Parameters) -> dict[str, object]:
    """The SAML providers of the account: none."""
    return {"SAMLProviderList": []}
