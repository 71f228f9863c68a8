# SPDX-License-Identifier: Apache-2.0
"""
The rows of IAM in the table of operations, one module a resource: for each operation its name, what it acts on, and the
function that does it. An operation that has no row cannot be reached.
"""

from typing import Final

from daypass.api.row import Row
from daypass.api.table import oidc_providers, roles, simulation

IAM_ROWS: Final[tuple[Row, ...]] = (
    *roles.ROWS,
    *oidc_providers.ROWS,
    *simulation.ROWS,
)

__all__ = ["IAM_ROWS"]
