# SPDX-License-Identifier: Apache-2.0
"""The revisions, numbered from 0001. ``daypass.store.migrate.HEAD`` names the last."""
