# SPDX-License-Identifier: Apache-2.0
"""What a record says of a request at the gateway."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from daypass.gateway.asking import AskedOperation, Needed
from daypass.gateway.decision import DeniedItem
from daypass.gateway.exchange import Exchange
from daypass.gateway.reports import MOST_RESOURCES, event_of

KEYS = tuple(Needed("s3:DeleteObject", f"arn:aws:s3:::lake/{number}") for number in range(50))
OPERATION = AskedOperation("s3", "DeleteObjects", (), KEYS, "arn:aws:s3:::lake")


def said_of(denied: tuple[DeniedItem, ...]) -> dict[str, Any]:
    exchange = Exchange("request", 0.0, "POST", 1_800_000_000.0)
    exchange.operation = OPERATION
    allowed: Any = SimpleNamespace(operation=OPERATION, denied=denied)
    exchange.allowed = allowed
    return dict(event_of(exchange).data or {})


def test_the_keys_of_a_deletion_that_were_denied_are_in_its_record() -> None:
    assert said_of((DeniedItem(3, "no"), DeniedItem(7, "no")))["deniedItems"] == [KEYS[3].resource, KEYS[7].resource]
    assert "deniedItems" not in said_of(())


def test_a_record_names_so_many_denied_keys_at_most() -> None:
    denied = tuple(DeniedItem(place, "no") for place in range(MOST_RESOURCES + 1))
    assert said_of(denied)["deniedItems"] == [one.resource for one in KEYS[:MOST_RESOURCES]]
