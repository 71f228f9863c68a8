# SPDX-License-Identifier: Apache-2.0
"""DecodeAuthorizationMessage: for whom a denial decodes, and what it says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from iam.kitchen import statement
from iam.people import asked as asked_iam
from iam.people import person
from in_process import ACCOUNT, ROOT, Service, service
from sts.asking import another_account, asked, given, refusal, session_of
from sts.holding import caller, new_name, role

pytestmark = pytest.mark.asyncio(loop_scope="module")
DECODE = "DecodeAuthorizationMessage"
INVALID = ("InvalidAuthorizationMessageException", "The encoded authorization message is invalid.")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


async def denied(sts: Service, key: Credentials, operation: str = "ListUsers", /, **parameters: Any) -> str:
    """The encoded message of a denial of an operation of IAM."""
    answer = await asked_iam(sts, operation, key, **parameters)
    assert (answer.code, answer.status) == ("AccessDenied", 403)
    assert answer.encoded
    return answer.encoded


async def decoded(sts: Service, key: Credentials, message: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((await given(sts, DECODE, key, EncodedMessage=message))["DecodedMessage"])
    return found


async def test_a_denial_decodes_for_who_is_allowed(sts: Service) -> None:
    name = new_name("denied")
    key = await person(sts, name, Tags=[{"Key": "team", "Value": "red"}])
    message = await denied(sts, key, "GetUser", UserName="somebody")
    reader = await person(sts, new_name("reader"), statement("Allow", "sts:DecodeAuthorizationMessage"))
    for allowed in (ROOT, reader):
        found = await decoded(sts, allowed, message)
        assert set(found) == {"allowed", "explicitDeny", "matchedStatements", "failures", "context", "explanation"}
        assert (found["allowed"], found["explicitDeny"]) == (False, False)
        assert found["matchedStatements"] == {"items": []}
        context = found["context"]
        assert context["principal"]["arn"] == f"arn:aws:iam::{ACCOUNT}:user/{name}"
        assert context["principal"]["id"].startswith("AIDA")
        assert (context["action"], context["resource"]) == ("iam:GetUser", f"arn:aws:iam::{ACCOUNT}:user/somebody")
        keys = {
            item["key"]: [one["value"] for one in item["values"]["items"]] for item in context["conditions"]["items"]
        }
        assert keys["aws:principaltag/team"] == ["red"]
        assert keys["aws:username"] == [name]
        assert found["explanation"]["decision"] == "implicitDeny"
        assert found["explanation"]["cause"]["layer"] == "identity"


async def test_an_explicit_deny_names_the_statement_that_denies(sts: Service) -> None:
    guard = {**statement("Deny", "iam:ListUsers"), "Sid": "NoUsers"}
    key = await person(sts, new_name("denied"), statement("Allow", "*"), guard)
    found = await decoded(sts, ROOT, await denied(sts, key))
    assert found["explicitDeny"] is True
    assert found["matchedStatements"] == {"items": [{"statementId": "identity:inline:main#NoUsers", "effect": "DENY"}]}
    assert found["explanation"]["counterfactual"] == ["remove identity:inline:main#NoUsers"]


async def test_a_denied_session_is_named_and_its_policy_is_the_reason(sts: Service) -> None:
    silent = json.dumps({"Version": "2012-10-17", "Statement": statement("Allow", "s3:*")})
    session = await session_of(sts, await caller(sts), await role(sts, statement("Allow", "*")), Policy=silent)
    found = await decoded(sts, ROOT, await denied(sts, session))
    assert found["context"]["principal"]["arn"].endswith("/test")
    assert found["explanation"]["cause"]["layer"] == "session"


async def test_it_does_not_decode_for_who_is_not_allowed_the_denied_one_among_them(sts: Service) -> None:
    name = new_name("denied")
    key = await person(sts, name)
    message = await denied(sts, key)
    code, text = await refusal(sts, DECODE, key, EncodedMessage=message)
    assert code == "AccessDenied"
    assert "is not authorized to perform: sts:DecodeAuthorizationMessage because no identity-based policy" in text


async def test_it_does_not_decode_in_another_account(sts: Service) -> None:
    message = await denied(sts, await person(sts, new_name("denied")))
    other = await another_account(sts, "210987654321")
    assert await refusal(sts, DECODE, other, EncodedMessage=message) == INVALID
    assert await decoded(sts, ROOT, message)


async def test_a_message_that_was_altered_anywhere_does_not_decode(sts: Service) -> None:
    message = await denied(sts, await person(sts, new_name("denied")))
    step = max(1, len(message) // 60)
    for place in (*range(0, len(message), step), len(message) - 1):
        other = "A" if message[place] != "A" else "B"
        altered = message[:place] + other + message[place + 1 :]
        assert await refusal(sts, DECODE, ROOT, EncodedMessage=altered) == INVALID, place
    for altered in (
        message[:-1],
        message[:-4],
        message + "A",
        message + "====",
        message * 2,
        message[4:],
        message.lower(),
    ):
        assert await refusal(sts, DECODE, ROOT, EncodedMessage=altered[:10_240]) == INVALID


async def test_a_session_token_is_no_authorization_message_and_a_message_no_session_token(sts: Service) -> None:
    key = await caller(sts)
    session = await session_of(sts, key, await role(sts, statement("Allow", "*")))
    assert await refusal(sts, DECODE, ROOT, EncodedMessage=str(session.token)) == INVALID
    message = await denied(sts, await person(sts, new_name("denied")))
    token = message.replace("-", "+").replace("_", "/")
    forged = Credentials(str(session.access_key), str(session.secret_key), token)
    assert (await refusal(sts, "GetCallerIdentity", forged))[0] == "InvalidClientTokenId"


async def test_a_denial_that_tells_no_reason_has_no_message(sts: Service) -> None:
    """Of AssumeRole: whether the role exists would be in it."""
    key = await person(sts, new_name("denied"))
    answer = await asked(sts, "AssumeRole", key, RoleArn=await role(sts), RoleSessionName="test")
    assert (answer.code, answer.encoded) == ("AccessDenied", "")
