# SPDX-License-Identifier: Apache-2.0
"""
``daypass audit``: searching the audit trail, following it, and checking that nothing in it was changed (docs/audit.md).

Exit codes: 0 done, 1 refused, failed, or a chain that does not hold, 2 wrong usage.
"""

from daypass.cli.audit.command import app

__all__ = ["app"]
