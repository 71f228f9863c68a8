# SPDX-License-Identifier: Apache-2.0
"""
``daypass accounts``: accounts, the organisation above them, its units and its policies.

The rules are ``daypass.organizations``'s; here they get a command line. Exit codes: 0 done, 1 refused, 2 wrong usage.
"""

from daypass.cli.accounts.command import app

__all__ = ["app"]
