# SPDX-License-Identifier: Apache-2.0
"""Whatever ends a session ends the sessions that were made from it, over however many roles and accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from botocore.credentials import Credentials

from daypass.organizations.accounts import close_account, reopen_account
from daypass.sessions import revocation
from daypass.sessions.revocation import Selection
from iam.kitchen import statement
from iam.people import done
from in_process import ACCOUNT, Service
from organizations.governed import LAB, PROD, Governed, governed
from sts.asking import asked, make_role, session_of, trusting
from sts.holding import new_name, session_in

pytestmark = pytest.mark.asyncio(loop_scope="module")
MAY = statement("Allow", "sts:*")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def accounts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Governed]:
    async with governed(tmp_path_factory.mktemp("data")) as made:
        yield made


@dataclass
class Chain:
    """A user of LAB, who assumes a role of LAB, from which one of PROD is assumed, and from that one of ACCOUNT."""

    sts: Service
    user: str
    key: Credentials
    roles: list[str]
    sessions: list[Credentials]

    async def alive(self) -> list[bool]:
        """Which of the sessions are let in."""
        return [(await asked(self.sts, "GetCallerIdentity", session)).status == 200 for session in self.sessions]

    async def revoke(self, selection: Selection) -> None:
        now = self.sts.clock()
        await revocation.revoke(self.sts.app.store, selection, before=int(now), now=now)


async def chain(accounts: Governed) -> Chain:
    sts, user = accounts.service, new_name("user")
    key = await accounts.user(LAB, user)
    roles, sessions, held = [], [], key
    for account, before in ((LAB, LAB), (PROD, LAB), (ACCOUNT, PROD)):
        root = accounts.roots[account]
        roles.append(await make_role(sts, new_name("Role"), trusting(before), MAY, caller=root))
        held = await session_of(sts, held, roles[-1])
        sessions.append(held)
    made = Chain(sts, user, key, roles, sessions)
    assert await made.alive() == [True] * 3
    return made


async def test_a_revoked_session_ends_those_that_were_made_from_it(accounts: Governed) -> None:
    made = await chain(accounts)
    await made.revoke(revocation.with_access_key(PROD, str(made.sessions[1].access_key)))
    assert await made.alive() == [True, False, False]


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_the_revoked_sessions_of_a_role_end_those_that_were_made_from_them(
    accounts: Governed, place: int
) -> None:
    made = await chain(accounts)
    role_id = session_in(made.sts, made.sessions[place]).role_id
    account = (LAB, PROD, ACCOUNT)[place]
    await made.revoke(revocation.of_role(account, role_id))
    assert await made.alive() == [position < place for position in range(3)]


async def test_a_revoked_user_ends_the_whole_chain_that_it_began(accounts: Governed) -> None:
    made = await chain(accounts)
    await made.revoke(revocation.of_user(LAB, session_in(made.sts, made.sessions[0]).user_id))
    assert await made.alive() == [False] * 3


async def test_a_revoked_account_ends_the_sessions_that_were_made_from_its_own(accounts: Governed) -> None:
    made = await chain(accounts)
    await made.revoke(revocation.of_account(PROD))
    assert await made.alive() == [True, False, False]
    made.sts.clock.advance(1)
    assert await (await chain(accounts)).alive() == [True] * 3


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_deleted_role_ends_those_that_were_made_from_its_sessions(accounts: Governed, place: int) -> None:
    made = await chain(accounts)
    root = accounts.roots[(LAB, PROD, ACCOUNT)[place]]
    name = made.roles[place].rpartition("/")[2]
    await done(made.sts, "DeleteRolePolicy", root, RoleName=name, PolicyName="main")
    await done(made.sts, "DeleteRole", root, RoleName=name)
    assert await made.alive() == [position < place for position in range(3)]
    await make_role(made.sts, name, trusting(LAB), MAY, caller=root)
    assert await made.alive() == [position < place for position in range(3)], "a namesake is another role"


async def test_a_deleted_user_ends_the_whole_chain_that_it_began(accounts: Governed) -> None:
    made = await chain(accounts)
    async with accounts.store.transaction() as transaction:
        user = transaction.view.users.with_name(LAB, made.user)
        assert user is not None
        await transaction.delete(user)
    assert await made.alive() == [False] * 3


@pytest.mark.parametrize(("account", "alive"), [(LAB, [False] * 3), (PROD, [True, False, False])])
async def test_a_closed_account_ends_what_began_in_it_or_went_through_it(
    accounts: Governed, account: str, alive: list[bool]
) -> None:
    made = await chain(accounts)
    await close_account(accounts.store, account, now=made.sts.clock())
    try:
        assert await made.alive() == alive
        wanted = {"RoleArn": made.roles[1], "RoleSessionName": "test"}
        assert (await asked(made.sts, "AssumeRole", made.sessions[0], **wanted)).status == 403
    finally:
        await reopen_account(accounts.store, account)
    assert await made.alive() == [True] * 3


async def test_a_closed_account_ends_the_sessions_that_its_users_have_of_roles_elsewhere(accounts: Governed) -> None:
    sts, key = accounts.service, await accounts.user(LAB, new_name("user"))
    role_arn = await make_role(sts, new_name("Role"), trusting(LAB), caller=accounts.roots[PROD])
    session = await session_of(sts, key, role_arn)
    await close_account(accounts.store, LAB, now=sts.clock())
    try:
        assert (await asked(sts, "GetCallerIdentity", session)).code == "InvalidClientTokenId"
    finally:
        await reopen_account(accounts.store, LAB)
    assert (await asked(sts, "GetCallerIdentity", session)).status == 200


async def test_a_deactivated_key_ends_nothing_that_a_role_granted_and_everything_that_its_own_session_began(
    accounts: Governed,
) -> None:
    """As in AWS: a role's session is the role's. A session of GetSessionToken is the key's, and so is what it made."""
    made = await chain(accounts)
    root = accounts.roots[LAB]
    change = {"UserName": made.user, "AccessKeyId": str(made.key.access_key)}
    own = await made.sts.call("sts", "GetSessionToken", made.key)
    session = Credentials(*(str(own.text(name)) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")))
    through = await session_of(made.sts, await session_of(made.sts, session, made.roles[0]), made.roles[1])
    await done(made.sts, "UpdateAccessKey", root, Status="Inactive", **change)
    assert await made.alive() == [True] * 3
    for ended in (session, through):
        assert (await asked(made.sts, "GetCallerIdentity", ended)).code == "InvalidClientTokenId"


async def test_a_chain_is_as_long_as_its_token_may_be_and_every_link_counts(accounts: Governed) -> None:
    sts = accounts.service
    key = await accounts.user(LAB, new_name("user"))
    name = new_name("Loop")
    loop = await make_role(sts, name, trusting(LAB), MAY, caller=accounts.roots[LAB])
    held = key
    links: list[Credentials] = []
    answer = await asked(sts, "AssumeRole", held, RoleArn=loop, RoleSessionName="test")
    while answer.status == 200 and len(links) < 200:
        held = Credentials(*(str(answer.text(part)) for part in ("AccessKeyId", "SecretAccessKey", "SessionToken")))
        links.append(held)
        answer = await asked(sts, "AssumeRole", held, RoleArn=loop, RoleSessionName="test")
    assert answer.code == "PackedPolicyTooLarge"
    assert 50 < len(links) < 200
    assert len(str(held.token)) <= 16_384
    await revocation.revoke(
        sts.app.store,
        revocation.with_access_key(LAB, str(links[0].access_key)),
        before=int(sts.clock()),
        now=sts.clock(),
    )
    assert (await asked(sts, "GetCallerIdentity", held)).code == "InvalidClientTokenId"
