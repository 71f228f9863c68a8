# SPDX-License-Identifier: Apache-2.0
"""
``daypass plan``, ``daypass apply`` and ``daypass export``: the state file at the command line (docs/state-file.md).

Exit codes: 0 done, 1 refused, 2 wrong usage; of ``daypass plan --detailed-exitcode`` also 2 where something would change.
"""
