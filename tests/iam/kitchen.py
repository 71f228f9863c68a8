# SPDX-License-Identifier: Apache-2.0
"""
Where recipes are cooked: a service in this process, spoken to through botocore's own serialiser and read by its parser.

A recipe's texts have places to fill: ``<name>`` is a name that nobody else has, ``<caller>`` the user who makes the call,
and ``<CreatePolicy.Policy.Arn>`` what an earlier call answered. ``<codes.1>`` is what the newest MFA device shows now.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import botocore.session
from botocore.credentials import Credentials
from botocore.model import OperationModel, Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from msgspec.structs import replace

from daypass.credentials import Secret, access_key_label
from daypass.sealing import MasterKey
from daypass.store import AccessKey, LastUse, User
from daypass.store.kinds import KINDS
from iam.materials import materials
from iam.one_time import Codes
from in_process import ACCOUNT, ROOT, Answer, Service, service

MODEL = botocore.session.get_session().get_service_model("iam")
PLACE = re.compile(r"<([\w.]+)>")
_SERIALIZER = create_serializer("query", include_validation=False)
_PARSER = create_parser("query")

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One call: an operation and its parameters, with places to fill. ``may``: a code that says that it was done before."""

    operation: str
    parameters: Parameters = field(default_factory=dict)
    may: str | None = None


@dataclass
class Order:
    """One cooking of a recipe: what its places are filled with."""

    values: dict[str, Any]

    def fill(self, value: Any) -> Any:
        """The value with every place filled. A text that is nothing but a place becomes what is there."""
        if isinstance(value, str):
            whole = PLACE.fullmatch(value)
            if whole is not None:
                return self._look_up(whole[1])
            return PLACE.sub(lambda match: str(self._look_up(match[1])), value)
        if isinstance(value, Mapping):
            return {key: self.fill(inner) for key, inner in value.items()}
        return [self.fill(inner) for inner in value] if isinstance(value, list) else value

    def _look_up(self, place: str) -> Any:
        found: Any = self.values
        for part in place.split("."):
            if part == "i":
                found = self.values["i"] if found is self.values else found[self.values["i"]]
            else:
                found = found[int(part)] if part.isdigit() else found[part]
        return found


def model_of(operation: str) -> OperationModel:
    """What botocore knows of an operation."""
    return MODEL.operation_model(operation)


def form(operation: str, parameters: Parameters) -> dict[str, str]:
    """The parameters as botocore writes them on the wire."""
    written = _SERIALIZER.serialize_to_request(dict(parameters), model_of(operation))["body"]
    return {name: _text(value) for name, value in written.items() if name not in ("Action", "Version")}


def _text(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def read(operation: str, answer: Answer) -> dict[str, Any]:
    """The answer as botocore's parser reads it. Fails when it is an error."""
    assert answer.status == 200, (operation, answer.status, answer.body)
    shape = cast(Shape, model_of(operation).output_shape)
    response = {"status_code": 200, "headers": {}, "body": answer.body}
    parsed = cast(dict[str, Any], _PARSER.parse(response, shape))
    del parsed["ResponseMetadata"]
    return parsed


@dataclass
class Kitchen:
    """A service, and users with keys to call it as."""

    service: Service
    master: MasterKey
    _numbers: Any = field(default_factory=itertools.count)

    def order(self) -> Order:
        """A new order: a name that no other has, and who calls if it is not root."""
        number = next(self._numbers)
        return Order({"name": f"n{number}", "caller": f"caller{number}", **materials()})

    async def caller(self, order: Order, policy: str | None = None) -> Credentials:
        """Make the user ``<caller>`` with a key, and one inline policy or none."""
        name = order.values["caller"]
        key = Credentials(f"AKIA{name.upper():Z<16}", "secret-of-a-caller-secret-of-a-caller-0")
        wrapped = self.master.wrap(key.secret_key.encode(), access_key_label(key.access_key))
        policies = () if policy is None else (("main", policy),)
        user = User(ACCOUNT, "/", name, f"AIDA{name.upper():Z<16}", 1, (("team", "red"),), policies)
        async with self.service.app.store.transaction() as transaction:
            await transaction.put(user)
            await transaction.put(AccessKey(key.access_key, ACCOUNT, user.unique_id, wrapped, "Active", 1))
        return key

    async def permit(self, order: Order, policy: str | None) -> None:
        """Give the user ``<caller>`` this inline policy and no other, or none."""
        async with self.service.app.store.transaction() as transaction:
            user = transaction.view.users.with_name(ACCOUNT, order.values["caller"])
            assert user is not None
            await transaction.put(replace(user, inline_policies=() if policy is None else (("main", policy),)))

    async def make_room(self) -> None:
        """Take all server certificates away: an account may have twenty, and nearly every test makes one."""
        async with self.service.app.store.transaction() as transaction:
            for certificate in list(transaction.view.server_certificates.of(ACCOUNT)):
                await transaction.delete(certificate)

    async def ask(
        self, order: Order, operation: str, parameters: Parameters, credentials: Credentials = ROOT
    ) -> Answer:
        """One call, with its places filled."""
        return await self.service.call("iam", operation, credentials, **form(operation, order.fill(parameters)))

    async def do(self, order: Order, *steps: Step, credentials: Credentials = ROOT) -> Any:
        """Several calls, all of which succeed; their answers fill places from now on. Returns the last answer."""
        parsed: Any = {}
        for step in steps:
            answer = await self.ask(order, step.operation, step.parameters, credentials)
            if step.may is not None and answer.code == step.may:
                continue
            parsed = read(step.operation, answer)
            order.values[step.operation] = parsed
            if "VirtualMFADevice" in parsed:
                order.values["codes"] = Codes(parsed["VirtualMFADevice"]["Base32StringSeed"], self.service.clock())
        return parsed

    def contents(self) -> list[object]:
        """All that is stored, to be compared with what is stored later; but for last uses, which are noted by the way."""
        view = self.service.app.store.view()
        return [getattr(view, kind.record.collection) for kind in KINDS.values() if kind.record is not LastUse]


@asynccontextmanager
async def kitchen(data_dir: Path) -> AsyncIterator[Kitchen]:
    """A kitchen with a master key that the tests know."""
    master = MasterKey.generate()
    async with service(data_dir, master_key=Secret(master)) as running:
        yield Kitchen(running, MasterKey.parse(master))


def document(*statements: Mapping[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str, action: str | Sequence[str], resource: str | Sequence[str] = "*") -> dict[str, Any]:
    """One statement of an identity policy."""
    return {"Effect": effect, "Action": action, "Resource": resource}
