# SPDX-License-Identifier: Apache-2.0
"""
Every size and count of organisations, in one place (AWS Organizations User Guide, "Quotas for AWS Organizations"; AWS
Organizations API, parameter constraints). Sizes of documents and policies per target are in ``daypass.policy.limits``.
"""

from __future__ import annotations

from typing import Final

ACCOUNT_NAME: Final = 50
"""Characters of an account's name (CreateAccount: AccountName)."""
UNIT_NAME: Final = 128
"""Characters of a unit's name (CreateOrganizationalUnit: Name)."""
POLICY_NAME: Final = 128
"""Characters of a policy's name (CreatePolicy: Name)."""
POLICY_DESCRIPTION: Final = 512
"""Characters of a policy's description (CreatePolicy: Description)."""
DEPTH: Final = 5
"""Units below each other under the root (Organizations quotas)."""
UNITS: Final = 1_000
"""Units of an organisation (Organizations quotas)."""
POLICIES: Final = 1_000
"""Policies of one form of an organisation (Organizations quotas)."""
