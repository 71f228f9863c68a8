# SPDX-License-Identifier: Apache-2.0
"""``python -m daypass`` is the ``daypass`` command."""

from daypass.cli.main import main

if __name__ == "__main__":
    main()
