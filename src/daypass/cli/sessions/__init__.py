# SPDX-License-Identifier: Apache-2.0
"""
``daypass sessions``: which sessions were issued, and ending them before their time (docs/sessions.md).

What a revocation is, is ``daypass.sessions.revocation``'s. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
"""

from daypass.cli.sessions.command import app

__all__ = ["app"]
