# SPDX-License-Identifier: Apache-2.0
"""Looking at a store as a request that was received later would."""

from __future__ import annotations

from daypass.store import Store, View


def fresh(store: Store) -> View:
    """The view that a later turn of the event loop gets; within one turn the answer is kept."""
    store._forget_view()
    return store.view()
