# SPDX-License-Identifier: Apache-2.0
"""The history of the tables, for Alembic: one file per revision in ``versions``, never changed once released."""
