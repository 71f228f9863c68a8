# SPDX-License-Identifier: Apache-2.0
"""
What a request at the AWS door leaves in the audit trail: which of its parameters, which of its answer, and whose it was.

    Noted, as the pipeline filled it -- accepted, refused --> Event
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from daypass.access import RequestFacts
from daypass.audit import Event, admitted, credentials_answer, names_to_record, recorded_answer
from daypass.awsapi.model import OperationModel
from daypass.doorway.audit_trail import Noted, plain_message
from daypass.errors import DaypassError, Reason
from daypass.sigv4 import RawRequest, read_authorization

_READING: Final = ("Get", "List", "Simulate", "Decode", "Assume")
"""How the names of operations begin that change nothing; CloudTrail counts those of STS among them."""


class Recorded(msgspec.Struct, frozen=True):
    """
    What is recorded of one operation: ``names`` of its parameters, and of its answer what of ``issues`` and ``read_only`` says:
    the credentials that are issued; nothing of a read; else what ``recorded_answer`` lets through.
    """

    source: str
    name: str
    names: tuple[tuple[str, str], ...]
    read_only: bool
    issues: bool

    def parameters(self, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        """What is recorded of the parameters."""
        return admitted(parameters, self.names)

    def answer(self, result: Mapping[str, Any]) -> dict[str, Any] | None:
        """What is recorded of the answer."""
        if self.issues:
            return credentials_answer(result)
        return None if self.read_only else recorded_answer(result)


@functools.cache
def recorded(service: str, model: OperationModel) -> Recorded:
    """What is recorded of an operation of a service (``sts``)."""
    members = {} if model.input_shape is None else model.input_shape.members
    answered = {} if model.output_shape is None else model.output_shape.members
    read_only = model.name.startswith(_READING)
    issues = "Credentials" in answered
    source = f"{service}.amazonaws.com"
    return Recorded(source, model.name, names_to_record(members), read_only or service == "sts", issues)


def accepted(
    of: Recorded, noted: Noted, facts: RequestFacts, request_id: str, data: Mapping[str, Any] | None = None
) -> Event:
    """The event of a request that was answered with a result. ``data``: ours, besides."""
    return Event(
        facts.now,
        of.source,
        of.name,
        request_id,
        facts.source_ip,
        facts.user_agent,
        noted.who,
        noted.region,
        noted.parameters,
        noted.answer,
        read_only=of.read_only,
        data=data,
        resources=noted.resources,
    )


def refused(
    of: Recorded | None,
    noted: Noted,
    facts: RequestFacts,
    request_id: str,
    error: DaypassError | Reason,
    code: str,
    data: Mapping[str, Any] | None = None,
) -> Event:
    """
    The event of a request that was answered with an error. ``of``: None where the operation is not known. ``error``: a reason
    alone where the caller was told nothing else.
    """
    reason, message = (error, None) if isinstance(error, Reason) else (error.reason, plain_message(error))
    return Event(
        facts.now,
        "sts.amazonaws.com" if of is None else of.source,
        noted.name if of is None else of.name,
        request_id,
        facts.source_ip,
        facts.user_agent,
        noted.who,
        noted.region,
        noted.parameters,
        reason=reason,
        code=code,
        message=message,
        read_only=of is None or of.read_only,
        data=data,
        decision=noted.decision,
        resources=noted.resources,
    )


def claimed_key(raw: RawRequest) -> str | None:
    """The access key id that a refused request says it is signed with; None where it has none in the form of one."""
    try:
        authorization = read_authorization(raw)
    except DaypassError:
        return None
    claimed = "" if authorization is None else authorization.access_key_id
    return (
        claimed if claimed.isascii() and claimed.isalnum() and 16 <= len(claimed) <= 32 and claimed[:1] == "A" else None
    )
