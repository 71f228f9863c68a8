# SPDX-License-Identifier: Apache-2.0
"""Calls of STS as tests make them: written and read by botocore, in process; and roles, users and accounts to make them."""

from __future__ import annotations

from typing import Any, cast

import botocore.session
from botocore.credentials import Credentials
from botocore.model import Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from daypass.credentials import LONG_TERM_KEY, access_key_label, new_access_key_id
from daypass.store import AccessKey, Account
from iam.kitchen import document, statement
from iam.people import done
from in_process import ACCOUNT, NOW, ROOT, Answer, Service

MODEL = botocore.session.get_session().get_service_model("sts")
_SERIALIZER = create_serializer("query", include_validation=False)
_PARSER = create_parser("query")
ANYTHING = statement("Allow", "*")


async def asked(
    service: Service, operation: str, credentials: Credentials | None = ROOT, /, **parameters: Any
) -> Answer:
    """One call of STS."""
    request = _SERIALIZER.serialize_to_request(parameters, MODEL.operation_model(operation))
    body = {key: value for key, value in request["body"].items() if key not in ("Action", "Version")}
    return await service.call("sts", operation, credentials, **body)


async def given(
    service: Service, operation: str, credentials: Credentials | None = ROOT, /, **parameters: Any
) -> dict[str, Any]:
    """The output of a call that succeeds."""
    answer = await asked(service, operation, credentials, **parameters)
    assert answer.status == 200, (answer.code, answer.message)
    shape = cast(Shape, MODEL.operation_model(operation).output_shape)
    parsed = _PARSER.parse({"status_code": 200, "headers": {}, "body": answer.body}, shape)
    return {key: value for key, value in parsed.items() if key != "ResponseMetadata"}


async def refusal(
    service: Service, operation: str, credentials: Credentials | None = ROOT, /, **parameters: Any
) -> tuple[Any, str]:
    """The code and the message of a call that fails."""
    answer = await asked(service, operation, credentials, **parameters)
    return answer.code, answer.message if answer.code is not None else ""


def keys_of(output: dict[str, Any]) -> Credentials:
    """The credentials that an operation answered."""
    made = output["Credentials"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])


async def session_of(service: Service, credentials: Credentials, role: str, /, **more: Any) -> Credentials:
    """Credentials of a role, by AssumeRole; the role by its name or ARN."""
    role_arn = role if role.startswith("arn:") else f"arn:aws:iam::{ACCOUNT}:role/{role}"
    wanted = {"RoleArn": role_arn, "RoleSessionName": "test", **more}
    return keys_of(await given(service, "AssumeRole", credentials, **wanted))


async def who(service: Service, credentials: Credentials) -> str:
    """The ARN of whoever holds the credentials."""
    return str((await given(service, "GetCallerIdentity", credentials))["Arn"])


def trusting(
    *principals: str, actions: Any = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"), **more: Any
) -> str:
    """A trust policy for these principals."""
    made = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": list(actions), **more}
    return document(made)


async def make_role(
    service: Service, name: str, trust: str, *statements: dict[str, Any], caller: Credentials = ROOT, **more: Any
) -> str:
    """A role with one inline policy, or none. Its ARN."""
    made = await done(service, "CreateRole", caller, RoleName=name, AssumeRolePolicyDocument=trust, **more)
    if statements:
        policy = {"RoleName": name, "PolicyName": "main", "PolicyDocument": document(*statements)}
        await done(service, "PutRolePolicy", caller, **policy)
    return str(made["Role"]["Arn"])


async def another_account(service: Service, account: str) -> Credentials:
    """One more account, and its root access key."""
    key_id, secret = new_access_key_id(LONG_TERM_KEY, account), "another-root-secret-another-root-secret-!"
    master = service.app.door._authenticator._master
    key = AccessKey(key_id, account, None, master.wrap(secret.encode(), access_key_label(key_id)), "Active", int(NOW))
    async with service.app.store.transaction() as transaction:
        await transaction.put(Account(account, int(NOW)))
        await transaction.put(key)
    return Credentials(key_id, secret)
