# SPDX-License-Identifier: Apache-2.0
"""
``daypass resources``: policies of resources of the services behind us, who owns a bucket, and what may not become public.

The rules are ``daypass.resources``'s; here they get a command line. Exit codes: 0 done, 1 refused, 2 wrong usage.
"""

from daypass.cli.resources.command import app

__all__ = ["app"]
