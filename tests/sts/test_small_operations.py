# SPDX-License-Identifier: Apache-2.0
"""GetCallerIdentity and GetAccessKeyInfo, and the operations that are not offered."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from daypass.credentials import new_access_key_id
from iam.kitchen import statement
from iam.people import person
from in_process import ACCOUNT, ROOT, Service, service
from sts.asking import MODEL, asked, given, refusal, session_of
from sts.holding import caller, new_name, role
from sts.parameters import OFFERED

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


async def test_nobody_can_be_denied_to_know_who_it_is(sts: Service) -> None:
    denied = await person(sts, new_name("denied"), statement("Deny", "*"))
    assert (await asked(sts, "GetCallerIdentity", denied)).status == 200
    key = await caller(sts)
    session = await session_of(sts, key, await role(sts, statement("Deny", "*")))
    assert (await asked(sts, "GetCallerIdentity", session)).status == 200


async def test_the_account_of_an_access_key_id_is_in_it_whether_it_exists_or_not(sts: Service) -> None:
    key = await person(sts, new_name("user"), statement("Allow", "sts:GetAccessKeyInfo"))
    session = await session_of(sts, await caller(sts), await role(sts))
    for known in (str(key.access_key), str(session.access_key), str(ROOT.access_key)):
        found = await given(sts, "GetAccessKeyInfo", key, AccessKeyId=known)
        assert known == str(ROOT.access_key) or found == {"Account": ACCOUNT}
    for account in ("000000000001", "999999999999"):
        for prefix in ("AKIA", "ASIA"):
            unknown = new_access_key_id(prefix, account)
            assert await given(sts, "GetAccessKeyInfo", key, AccessKeyId=unknown) == {"Account": account}


async def test_get_access_key_info_needs_a_permission(sts: Service) -> None:
    without = await person(sts, new_name("user"))
    code, message = await refusal(sts, "GetAccessKeyInfo", without, AccessKeyId=str(without.access_key))
    assert code == "AccessDenied"
    assert "is not authorized to perform: sts:GetAccessKeyInfo because" in message


async def test_an_operation_that_is_not_offered_is_refused_by_name(sts: Service) -> None:
    for operation in set(MODEL.operation_names) - set(OFFERED):
        answer = await sts.call("sts", operation, ROOT)
        assert answer.status == 501
        assert answer.message == f"The operation {operation} is not supported."
