# SPDX-License-Identifier: Apache-2.0
"""
``daypass explain``: a decision with its reasons, before or after it was made.

    options -- question (files), stored (the live store) --> request + layers -- explain --> text, or JSON

The explanation is ``daypass.policy.explain``, which the service uses; here it gets its input and its layout.
"""

from daypass.cli.explain.command import app

__all__ = ["app"]
