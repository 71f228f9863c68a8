# SPDX-License-Identifier: Apache-2.0
"""
A recipe for every operation of IAM: what it needs, and one good call of it. Tests that hold for all operations cook them.

A row of the table of operations without a recipe fails a test; a recipe stands with those of its resource.
"""

from __future__ import annotations

from typing import Final

from iam import recipes_account, recipes_credentials, recipes_identities, recipes_policies, recipes_resources
from iam.recipe import Recipe

RECIPES: Final[dict[str, Recipe]] = {
    **recipes_identities.RECIPES,
    **recipes_policies.RECIPES,
    **recipes_credentials.RECIPES,
    **recipes_resources.RECIPES,
    **recipes_account.RECIPES,
}
