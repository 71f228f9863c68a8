# SPDX-License-Identifier: Apache-2.0
"""
The commands. Each has a module, imported when it is used; ``main`` knows only their names.

Exit codes: 0 done, 1 refused or failed, 2 usage. Data goes to standard output, talk to standard error.
"""
