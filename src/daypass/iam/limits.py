# SPDX-License-Identifier: Apache-2.0
"""The quotas of IAM (IAM User Guide, "IAM and STS quotas"); AWS's default figures, which clients know."""

from __future__ import annotations

from typing import Final

TAGS_PER_ENTITY: Final = 50
ROLES_PER_ACCOUNT: Final = 1_000_000
"""AWS: 1,000, raisable to 5,000. Ours only keeps the memory of one process within reason."""

OIDC_PROVIDERS_PER_ACCOUNT: Final = 700
"""AWS: 100, raisable to 700."""

CLIENT_IDS_PER_PROVIDER: Final = 100
THUMBPRINTS_PER_PROVIDER: Final = 5
SIMULATED_CHARACTERS: Final = 4_000_000
"""Characters of policy that one page of a simulation goes through, over all its actions and resources: about a second.
A page that would take more is shorter (IAM API, SimulateCustomPolicy: MaxItems)."""

SCANNED_FOR_A_PAGE: Final = 10_000
"""Records looked at for one page of a list with a filter; a few milliseconds."""

PAGE_ITEMS: Final = 100
"""Items on a page when MaxItems is absent (IAM API, ListRoles: MaxItems)."""
