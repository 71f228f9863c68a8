# SPDX-License-Identifier: Apache-2.0
"""
What Alembic runs to migrate: on the connection that ``daypass.store.migrate`` hands over, in the transaction it opened.

There is no offline mode and no configuration file: the tables and the code that expects them are released together.
"""

from __future__ import annotations

from alembic import context

from daypass.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    # SQLite cannot alter most things in place; Alembic then moves the table.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
