# SPDX-License-Identifier: Apache-2.0
"""SSH public keys of users, in either encoding."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from iam.certified import ec_key, rsa_key
from iam.kitchen import statement
from iam.people import denial, done, person, refused, user_arn
from in_process import NOW, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
UPLOADED = datetime.datetime.fromtimestamp(NOW, datetime.UTC)


def ssh(number: int = 0, bits: int = 2048) -> str:
    public = rsa_key(bits, number).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return public.decode("ascii")


def pem(number: int = 0, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> str:
    return rsa_key(2048, number).public_key().public_bytes(Encoding.PEM, form).decode("ascii")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes users of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


async def upload(iam: Service, user: str, body: str) -> str:
    made = await done(iam, "UploadSSHPublicKey", UserName=user, SSHPublicKeyBody=body)
    return str(made["SSHPublicKey"]["SSHPublicKeyId"])


async def test_a_key_is_active_at_once_and_listed_without_its_body(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="ann")
    body = f"{ssh()} ann@example.org"
    made = (await done(iam, "UploadSSHPublicKey", UserName="ann", SSHPublicKeyBody=body))["SSHPublicKey"]
    key_id, fingerprint = made["SSHPublicKeyId"], made.pop("Fingerprint")
    assert key_id.startswith("APKA")
    metadata = {"UserName": "ann", "SSHPublicKeyId": key_id, "Status": "Active", "UploadDate": UPLOADED}
    assert made == {**metadata, "SSHPublicKeyBody": body}
    assert [len(part) for part in fingerprint.split(":")] == [2] * 16
    listed = await done(iam, "ListSSHPublicKeys", UserName="ann")
    assert listed == {"SSHPublicKeys": [metadata], "IsTruncated": False}


@pytest.mark.parametrize("form", ["ssh", "pem", "pkcs1"])
async def test_a_key_is_answered_in_the_encoding_that_is_asked_for(iam: Service, form: str) -> None:
    body = {"ssh": ssh(), "pem": pem(), "pkcs1": pem(form=PublicFormat.PKCS1)}[form]
    await done(iam, "CreateUser", UserName=form)
    key_id = await upload(iam, form, body)
    answers = {}
    for encoding in ("SSH", "PEM"):
        named = {"UserName": form, "SSHPublicKeyId": key_id, "Encoding": encoding}
        answers[encoding] = (await done(iam, "GetSSHPublicKey", **named))["SSHPublicKey"]["SSHPublicKeyBody"]
    assert answers == {"SSH": ssh(), "PEM": pem() if form == "ssh" else body}
    unknown = {"UserName": form, "SSHPublicKeyId": key_id, "Encoding": "DER"}
    assert (await refused(iam, "GetSSHPublicKey", **unknown))[0] == "ValidationError"


async def test_a_user_has_a_key_once_and_another_user_may_have_it_too(iam: Service) -> None:
    for name in ("one", "other"):
        await done(iam, "CreateUser", UserName=name)
        await upload(iam, name, ssh())
    for body in (ssh(), f"{ssh()} comment", pem()):
        found = await refused(iam, "UploadSSHPublicKey", UserName="one", SSHPublicKeyBody=body)
        assert found[0] == "DuplicateSSHPublicKey"


async def test_a_user_has_five_keys_in_pages_and_not_six(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="five")
    ids = sorted([await upload(iam, "five", ssh(number)) for number in range(5)])
    beyond = await refused(iam, "UploadSSHPublicKey", UserName="five", SSHPublicKeyBody=ssh(5))
    assert beyond == ("LimitExceeded", "Cannot exceed quota for SSHPublicKeysPerUser: 5")
    first = await done(iam, "ListSSHPublicKeys", UserName="five", MaxItems=3)
    rest = await done(iam, "ListSSHPublicKeys", UserName="five", Marker=first["Marker"])
    assert [found["SSHPublicKeyId"] for page in (first, rest) for found in page["SSHPublicKeys"]] == ids
    await done(iam, "DeleteSSHPublicKey", UserName="five", SSHPublicKeyId=ids[0])
    await upload(iam, "five", ssh(5))


ED25519 = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
CURVE = ec_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("key", "UnrecognizedPublicKeyEncoding"),
        (ED25519.decode(), "UnrecognizedPublicKeyEncoding"),
        ("ssh-rsa", "UnrecognizedPublicKeyEncoding"),
        ("ssh-rsa AAAA", "InvalidPublicKey"),
        ("ssh-rsa \u00e4", "InvalidPublicKey"),
        (f"ssh-rsa {ED25519.decode().split(' ')[1]}", "InvalidPublicKey"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "InvalidPublicKey"),
        (CURVE.decode(), "InvalidPublicKey"),
        (ssh(bits=1024), "InvalidPublicKey"),
    ],
    ids=["text", "ed25519", "no key", "no blob", "not ASCII", "other blob", "no PEM", "a curve", "1024 bits"],
)
async def test_what_is_no_rsa_key_of_2048_bits_is_refused(iam: Service, body: str, code: str) -> None:
    await done(iam, "CreateUser", UserName="bad")
    assert (await refused(iam, "UploadSSHPublicKey", UserName="bad", SSHPublicKeyBody=body))[0] == code
    await done(iam, "DeleteUser", UserName="bad")


async def test_a_key_is_switched_off_and_deleted_by_its_user_only(iam: Service) -> None:
    for name in ("owner", "stranger"):
        await done(iam, "CreateUser", UserName=name)
    key_id = await upload(iam, "owner", ssh())
    named = {"UserName": "owner", "SSHPublicKeyId": key_id}
    await done(iam, "UpdateSSHPublicKey", **named, Status="Inactive")
    [listed] = (await done(iam, "ListSSHPublicKeys", UserName="owner"))["SSHPublicKeys"]
    assert listed["Status"] == "Inactive"
    assert (await refused(iam, "UpdateSSHPublicKey", **named, Status="Expired"))[0] == "InvalidInput"
    gone = ("NoSuchEntity", f"The Public Key with id {key_id} cannot be found.")
    others = {**named, "UserName": "stranger"}
    assert await refused(iam, "GetSSHPublicKey", **others, Encoding="SSH") == gone
    assert await refused(iam, "UpdateSSHPublicKey", **others, Status="Active") == gone
    assert await refused(iam, "DeleteSSHPublicKey", **others) == gone
    await done(iam, "DeleteSSHPublicKey", **named)
    assert await refused(iam, "DeleteSSHPublicKey", **named) == gone


async def test_permission_is_given_on_the_user(iam: Service) -> None:
    key = await person(iam, "self", statement("Allow", "iam:*SSHPublicKey*", user_arn("self")))
    await done(iam, "CreateUser", UserName="else")
    await done(iam, "UploadSSHPublicKey", key, UserName="self", SSHPublicKeyBody=ssh())
    assert len((await done(iam, "ListSSHPublicKeys", key))["SSHPublicKeys"]) == 1
    denied = ("AccessDenied", denial("self", "UploadSSHPublicKey", user_arn("else")))
    assert await refused(iam, "UploadSSHPublicKey", key, UserName="else", SSHPublicKeyBody=ssh()) == denied
