# SPDX-License-Identifier: Apache-2.0
"""
The process: settings, the wiring of everything (once), the listeners, first start, and health.

    settings --> bootstrap (master key, migrations, account, root key, sealing keys) --> app (wiring) --> asgi (listeners)
"""
