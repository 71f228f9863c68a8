# SPDX-License-Identifier: Apache-2.0
"""
No secret reaches the trail: a canary in every proof, code, password and key that an operation takes, and every secret that one
answers, for every operation of STS and IAM (DESIGN.md, invariant 15).
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.serialize import create_serializer

from audit.test_record import PROOFS
from audit.trails import recorded
from daypass.store.audit_trail import oldest_first
from iam.cooking import ALLOW_ALL, COOKED, prepared, succeeds
from iam.kitchen import MODEL as IAM
from iam.kitchen import Kitchen, kitchen
from iam.recipes import RECIPES
from in_process import ROOT, Service, service
from sts.asking import MODEL as STS
from sts.asking import given
from sts.parameters import OFFERED

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANARY = "CANARY7f3a"
ASKED = [("sts", name) for name in OFFERED] + [("iam", name) for name in sorted(RECIPES)]
_SERIALIZER = create_serializer("query", include_validation=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(place: Path) -> AsyncIterator[Service]:
    async with service(place) as made:
        yield made


async def trail(running: Service, place: Path) -> str:
    """All text of the trail."""
    await recorded(running, place)
    return "\n".join(line.decode() for block in oldest_first(place / "daypass.db") for line in block.lines())


def is_secret(name: str, shape: Shape) -> bool:
    return name in PROOFS or bool(shape.metadata.get("sensitive"))


def wrong(shape: Shape | None, name: str, text: str) -> Any:
    """A value for a parameter, with the canary wherever a secret goes."""
    if isinstance(shape, StructureShape):
        return {inner: wrong(member, inner, text) for inner, member in shape.members.items()}
    if isinstance(shape, ListShape):
        return [wrong(shape.member, name, text)]
    if isinstance(shape, MapShape):
        return {"key": wrong(shape.value, name, text)}
    if isinstance(shape, StringShape):
        if is_secret(name, shape):
            return text + "x" * max(0, int(shape.metadata.get("min", 0)) - len(text))
        return "arn:aws:iam::123456789012:role/nobody" if name.endswith("Arn") else "nobody"
    return {"integer": 900, "boolean": True}.get(shape.type_name if shape is not None else "", 1)


def secrets_in(shape: Shape | None, name: str = "") -> bool:
    if isinstance(shape, StructureShape):
        return any(secrets_in(member, inner) for inner, member in shape.members.items())
    if isinstance(shape, ListShape):
        return secrets_in(shape.member, name)
    return shape is not None and is_secret(name, shape)


@pytest.mark.parametrize("text", [CANARY, f"{CANARY} \u00e9 <&'>", base64.b64encode(CANARY.encode()).decode()])
@pytest.mark.parametrize("caller", [ROOT, None, Credentials("AKIAQNZKJ3EXAMPLE234", "not the secret of this key")])
async def test_no_secret_that_a_request_brings_is_in_the_trail(
    running: Service, place: Path, text: str, caller: Credentials | None
) -> None:
    asked = 0
    for kind, name in ASKED:
        shape = (STS if kind == "sts" else IAM).operation_model(name).input_shape
        if not secrets_in(shape):
            continue
        model = (STS if kind == "sts" else IAM).operation_model(name)
        body = _SERIALIZER.serialize_to_request(wrong(shape, "", text), model)["body"]
        form = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in body.items()}
        await running.call(kind, name, caller, **{key: form[key] for key in form if key not in ("Action", "Version")})
        asked += 1
    assert asked > 15
    found = await trail(running, place)
    assert '"eventName":"AssumeRoleWithSAML"' in found
    assert text.split()[0] not in found


def answered(value: Any, name: str = "") -> Iterator[str]:
    """Every secret in what operations answered."""
    if isinstance(value, Mapping):
        for inner, one in value.items():
            yield from answered(one, inner)
    elif isinstance(value, list):
        for one in value:
            yield from answered(one, name)
    elif isinstance(value, str | bytes) and name in SECRETS:
        yield value if isinstance(value, str) else value.decode("latin-1")


SECRETS = frozenset(
    {
        *("SecretAccessKey", "SessionToken", "ServicePassword", "ServiceCredentialSecret", "Base32StringSeed"),
        *("WebIdentityToken", "TradeInToken"),
    }
)


async def test_no_secret_that_iam_answers_is_in_the_trail(tmp_path: Path) -> None:
    async with kitchen(tmp_path) as iam:
        secrets = [secret async for secret in _cooked(iam)]
        found = await trail(iam.service, tmp_path)
    assert len(secrets) > 10
    assert [secret for secret in secrets if secret in found] == []
    assert all(f'"eventName":"{name}"' in found for name in COOKED)


async def _cooked(iam: Kitchen) -> AsyncIterator[str]:
    for name in COOKED:
        made = RECIPES[name]
        order, caller = await prepared(iam, made, ALLOW_ALL)
        answer = await succeeds(iam, order, name, caller if made.by_caller else ROOT)
        for secret in answered({"answer": answer, "before": order.values}):
            yield secret


async def test_no_secret_that_sts_answers_is_in_the_trail(running: Service, place: Path) -> None:
    made = [
        await given(running, "GetSessionToken"),
        await given(running, "GetFederationToken", Name="bob"),
    ]
    secrets = list(answered(made))
    assert len(secrets) == 4
    found = await trail(running, place)
    assert [secret for secret in secrets if secret in found] == []
    assert all(one["Credentials"]["AccessKeyId"] in found for one in made)
