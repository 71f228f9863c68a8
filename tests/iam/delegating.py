# SPDX-License-Identifier: Apache-2.0
"""Delegation requests as tests make them: in any state, for the account itself or a partner's."""

from __future__ import annotations

import datetime
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from daypass.credentials import Secret
from daypass.sealing import MasterKey
from daypass.store import Account
from iam.kitchen import document, statement
from iam.people import done
from in_process import ACCOUNT, NOW, Service, service

MASTER = MasterKey.generate()
PARTNER = "210987654321"
DAY = 86_400
TOPIC = f"arn:aws:sns:us-east-1:{PARTNER}:delegations"
POLICY = document(statement("Allow", "s3:GetObject", "arn:aws:s3:::@{bucket}/*"))
TEMPLATE = f"arn:aws:iam::{ACCOUNT}:policy/template"
NUMBERS = itertools.count()
STATES = {
    "UNASSIGNED": (),
    "ASSIGNED": ("AssociateDelegationRequest",),
    "PENDING_APPROVAL": ("AssociateDelegationRequest", "UpdateDelegationRequest"),
    "ACCEPTED": ("AssociateDelegationRequest", "AcceptDelegationRequest"),
    "FINALIZED": ("AssociateDelegationRequest", "AcceptDelegationRequest", "SendDelegationToken"),
    "REJECTED": ("AssociateDelegationRequest", "RejectDelegationRequest"),
}
"""How to get a request into each state."""


@asynccontextmanager
async def delegating(data_dir: Path) -> AsyncIterator[Service]:
    """A service with a template, and a second account for partners."""
    async with service(data_dir, master_key=Secret(MASTER)) as running:
        await done(running, "CreatePolicy", PolicyName="template", PolicyDocument=POLICY)
        async with running.app.store.transaction() as transaction:
            await transaction.put(Account(PARTNER, 1))
        yield running


def request(template: str = TEMPLATE, **more: Any) -> dict[str, Any]:
    """Parameters of a request that is in order, for the account itself."""
    return {
        "OwnerAccountId": ACCOUNT,
        "Description": "Reads the logs.",
        "Permissions": {
            "PolicyTemplateArn": template,
            "Parameters": [{"Name": "bucket", "Values": ["logs"], "Type": "string"}],
        },
        "RequestorWorkflowId": f"workflow-{next(NUMBERS)}",
        "NotificationChannel": TOPIC,
        "SessionDuration": 3600,
        **more,
    }


async def made(iam: Service, state: str = "UNASSIGNED", **more: Any) -> dict[str, str]:
    """A request in a state, named as operations want it."""
    answer = await done(iam, "CreateDelegationRequest", **request(**more))
    named = {"DelegationRequestId": answer["DelegationRequestId"]}
    for operation in STATES[state]:
        await done(iam, operation, **named)
    return named


async def shown(iam: Service, named: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = (await done(iam, "GetDelegationRequest", **named))["DelegationRequest"]
    return found


def outbox_of(iam: Service) -> Path:
    """Where messages to others are left."""
    return iam.app.store._path.with_name("outbox")


def message_of(iam: Service, named: dict[str, str]) -> dict[str, Any]:
    """What was left for the requestor."""
    found: dict[str, Any] = json.loads((outbox_of(iam) / f"{named['DelegationRequestId']}.json").read_text())
    return found


def at(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(NOW + seconds, datetime.UTC)


def permissions(**more: Any) -> dict[str, Any]:
    return {"Permissions": {**request()["Permissions"], **more}}
