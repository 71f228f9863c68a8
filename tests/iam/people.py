# SPDX-License-Identifier: Apache-2.0
"""Users as tests of IAM's operations make them: over the wire, with keys to call with."""

from __future__ import annotations

from typing import Any

from botocore.credentials import Credentials

from daypass.store import ManagedPolicy, PolicyVersion
from iam.kitchen import document, form, read, statement
from in_process import ACCOUNT, ROOT, Answer, Service

ALLOW_ALL = document(statement("Allow", "*"))


async def asked(iam: Service, operation: str, credentials: Credentials = ROOT, /, **parameters: Any) -> Answer:
    """One call, written by botocore."""
    return await iam.call("iam", operation, credentials, **form(operation, parameters))


async def done(iam: Service, operation: str, credentials: Credentials = ROOT, /, **parameters: Any) -> dict[str, Any]:
    """A call that succeeds, read by botocore."""
    return read(operation, await asked(iam, operation, credentials, **parameters))


async def refused(
    iam: Service, operation: str, credentials: Credentials = ROOT, /, **parameters: Any
) -> tuple[Any, str]:
    """The code and the message of a call that fails."""
    answer = await asked(iam, operation, credentials, **parameters)
    return answer.code, answer.message if answer.code is not None else ""


async def key_of(iam: Service, user: str) -> Credentials:
    """A key of a user."""
    made = (await done(iam, "CreateAccessKey", UserName=user))["AccessKey"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"])


async def person(iam: Service, name: str, *statements: dict[str, Any], **settings: Any) -> Credentials:
    """A new user with one inline policy, or none, and a key."""
    await done(iam, "CreateUser", UserName=name, **settings)
    if statements:
        await done(iam, "PutUserPolicy", UserName=name, PolicyName="main", PolicyDocument=document(*statements))
    return await key_of(iam, name)


async def managed(iam: Service, name: str, *statements: dict[str, Any], account: str = ACCOUNT) -> str:
    """A managed policy put straight into the store; its ARN."""
    text = document(*statements)
    policy = ManagedPolicy(
        account, "/", name, f"ANPA{name.upper():Z<17}", None, 1, 1, 1, 2, (PolicyVersion(1, text, 1),)
    )
    async with iam.app.store.transaction() as transaction:
        await transaction.put(policy)
    return policy.arn


def user_arn(name: str, path: str = "/") -> str:
    """The ARN of a user."""
    return f"arn:aws:iam::{ACCOUNT}:user{path}{name}"


def group_arn(name: str, path: str = "/") -> str:
    """The ARN of a group."""
    return f"arn:aws:iam::{ACCOUNT}:group{path}{name}"


def denial(caller: str, action: str, resource: str) -> str:
    """What AWS says of a caller without the permission."""
    return (
        f"User: {user_arn(caller)} is not authorized to perform: iam:{action} on resource: {resource} because no"
        f" identity-based policy allows the iam:{action} action"
    )
