# SPDX-License-Identifier: Apache-2.0
"""
No credential that is made from a session outlives it or out-scopes it: any chain of up to five hops, of any durations, tags,
transitive keys and source identities, against a little model of the rules that shares no code with what is tested.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iam.kitchen import statement
from in_process import NOW, Service, service
from sts.asking import asked, keys_of, make_role
from sts.asking import given as output_of
from sts.holding import caller, principal_tags, session_in, trusting_account

pytestmark = pytest.mark.asyncio(loop_scope="module")
Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RoleSpec:
    """A role that is there."""

    name: str
    longest: int
    tags: Mapping[str, str]


ROLES = (
    RoleSpec("Plain", 3600, {}),
    RoleSpec("Long", 43_200, {"Team": "role", "own": "1"}),
    RoleSpec("Tagged", 7200, {"team": "role", "COST": "role", "site": "x"}),
)
KEYS = ("team", "Team", "TEAM", "cost", "Cost", "site", "free")


@dataclass(frozen=True)
class Hop:
    """One AssumeRole, and how long after the one before."""

    role: RoleSpec
    wait: int
    duration: int | None
    tags: Tags
    transitive: tuple[str, ...]
    source: str | None

    def parameters(self, arns: Mapping[str, str]) -> dict[str, Any]:
        """As the request has them."""
        made: dict[str, Any] = {"RoleArn": arns[self.role.name], "RoleSessionName": "test"}
        if self.duration is not None:
            made["DurationSeconds"] = self.duration
        if self.tags:
            made["Tags"] = [{"Key": key, "Value": value} for key, value in self.tags]
        if self.transitive:
            made["TransitiveTagKeys"] = list(self.transitive)
        if self.source is not None:
            made["SourceIdentity"] = self.source
        return made


@dataclass(frozen=True)
class Held:
    """What the model says of credentials. ``ends`` is None for a key that lasts; ``of_role``: another role gives an hour."""

    ends: int | None
    of_role: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None


def after(held: Held, hop: Hop, now: int) -> Held | None:
    """Policy language and evaluation, section 10: the session that a hop gives; None when it is refused."""
    if held.ends is not None and now >= held.ends:
        return None
    passed = {key.lower(): value for key, value in hop.tags}
    wanted = [key.lower() for key in hop.transitive]
    seconds = 3600 if hop.duration is None else hop.duration
    refused = (
        len(passed) < len(hop.tags)
        or len(set(wanted)) < len(wanted)
        or not set(wanted) <= set(passed)
        or bool(set(passed) & set(held.transitive))
        or seconds > hop.role.longest
        or (held.of_role and seconds > 3600)
        or (held.source is not None and hop.source not in (None, held.source))
    )
    if refused:
        return None
    ends = now + seconds if held.ends is None else min(now + seconds, held.ends)
    of_role = {key.lower(): value for key, value in hop.role.tags.items()}
    effective = {**of_role, **held.transitive, **passed}
    transitive = {**held.transitive, **{key: passed[key] for key in wanted}}
    return Held(ends, True, effective, transitive, held.source or hop.source)


def tags() -> st.SearchStrategy[Tags]:
    pairs = st.tuples(st.sampled_from(KEYS), st.sampled_from(("red", "blue", "")))
    distinct = st.lists(pairs, max_size=3, unique_by=lambda pair: pair[0].lower())
    return st.one_of(distinct, distinct, distinct, st.lists(pairs, max_size=3)).map(tuple)


@st.composite
def hops(draw: st.DrawFn) -> Hop:
    passed = draw(tags())
    some = [key for key, _ in passed if draw(st.booleans())]
    transitive = [key.upper() if draw(st.booleans()) else key for key in some]
    if draw(st.integers(0, 9)) == 0:
        transitive.append(draw(st.sampled_from(KEYS)))
    return Hop(
        role=draw(st.sampled_from(ROLES)),
        wait=draw(st.sampled_from((0, 0, 1, 600, 899, 900, 3600))),
        duration=draw(st.sampled_from((None, None, 900, 901, 3599, 3600, 3601, 7200, 43_200))),
        tags=passed,
        transitive=tuple(transitive),
        source=draw(st.sampled_from((None, None, None, "ann", "ben"))),
    )


@dataclass
class Start:
    """A service with the roles, and a user's key."""

    sts: Service
    key: Credentials
    arns: Mapping[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def start(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Start]:
    async with service(tmp_path_factory.mktemp("data")) as running:
        arns = {}
        for spec in ROLES:
            own = [{"Key": key, "Value": value} for key, value in spec.tags.items()]
            may = statement("Allow", "sts:*")
            arns[spec.name] = await make_role(
                running, spec.name, trusting_account(), may, Tags=own, MaxSessionDuration=spec.longest
            )
        yield Start(running, await caller(running), arns)


@settings(deadline=None, database=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(own=st.sampled_from((None, None, 900, 5000)), chain=st.lists(hops(), min_size=1, max_size=5))
async def test_no_session_outlives_or_out_scopes_the_one_that_it_was_made_from(
    start: Start, own: int | None, chain: list[Hop]
) -> None:
    sts, keys, held = start.sts, start.key, Held(None)
    sts.clock.instant = NOW
    if own is not None:
        keys = keys_of(await output_of(sts, "GetSessionToken", keys, DurationSeconds=own))
        held = Held(int(NOW) + own)
    ends = [] if held.ends is None else [held.ends]
    for hop in chain:
        sts.clock.advance(hop.wait)
        expected = after(held, hop, int(sts.clock()))
        answer = await asked(sts, "AssumeRole", keys, **hop.parameters(start.arns))
        assert (answer.status == 200) is (expected is not None), (answer.code, answer.message)
        if expected is None:
            continue
        keys = Credentials(*(str(answer.text(name)) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")))
        held = expected
        sealed = session_in(sts, keys)
        assert sealed.expires_at == held.ends
        assert all(sealed.expires_at <= end for end in ends)
        ends.append(sealed.expires_at)
        assert principal_tags(sts, keys) == held.tags
        assert answer.text("SourceIdentity") == sealed.source_identity == held.source
    if held.ends is not None:
        sts.clock.instant = held.ends - 0.5
        assert (await asked(sts, "GetCallerIdentity", keys)).status == 200
        sts.clock.instant = float(held.ends)
        assert (await asked(sts, "GetCallerIdentity", keys)).code == "ExpiredToken"
