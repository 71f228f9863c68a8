# SPDX-License-Identifier: Apache-2.0
"""Signing certificates of users."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ed25519

from iam.certified import certified, rsa_key
from iam.kitchen import statement
from iam.people import denial, done, person, refused, user_arn
from in_process import NOW, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
UPLOADED = datetime.datetime.fromtimestamp(NOW, datetime.UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: every test makes users of its own."""
    async with service(tmp_path_factory.mktemp("data")) as running:
        yield running


async def upload(iam: Service, user: str, body: str | None = None) -> str:
    """A certificate for a user; its id."""
    body = body or certified(user).pem
    made = (await done(iam, "UploadSigningCertificate", UserName=user, CertificateBody=body))["Certificate"]
    return str(made["CertificateId"])


async def test_a_certificate_is_active_at_once_and_shown_as_sent(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="ann")
    body = certified("ann", rsa_key()).pem
    made = (await done(iam, "UploadSigningCertificate", UserName="ann", CertificateBody=body))["Certificate"]
    certificate_id = made["CertificateId"]
    assert len(certificate_id) == 32
    assert certificate_id.isalnum()
    assert certificate_id.upper() == certificate_id
    assert made == {
        "UserName": "ann",
        "CertificateId": certificate_id,
        "CertificateBody": body,
        "Status": "Active",
        "UploadDate": UPLOADED,
    }
    listed = await done(iam, "ListSigningCertificates", UserName="ann")
    assert listed == {"Certificates": [made], "IsTruncated": False}


async def test_a_user_has_two_certificates_in_pages_and_not_three(iam: Service) -> None:
    await done(iam, "CreateUser", UserName="two")
    ids = sorted([await upload(iam, "two"), await upload(iam, "two")])
    beyond = await refused(iam, "UploadSigningCertificate", UserName="two", CertificateBody=certified("x").pem)
    assert beyond == ("LimitExceeded", "Cannot exceed quota for CertificatesPerUser: 2")
    first = await done(iam, "ListSigningCertificates", UserName="two", MaxItems=1)
    rest = await done(iam, "ListSigningCertificates", UserName="two", Marker=first["Marker"])
    assert [found["CertificateId"] for page in (first, rest) for found in page["Certificates"]] == ids
    await done(iam, "DeleteSigningCertificate", UserName="two", CertificateId=ids[0])
    await upload(iam, "two")


async def test_a_certificate_is_in_an_account_once_however_it_is_written(iam: Service) -> None:
    for name in ("first", "second"):
        await done(iam, "CreateUser", UserName=name)
    body = certified("once").pem
    certificate_id = await upload(iam, "first", body)
    for user in ("first", "second"):
        found = await refused(iam, "UploadSigningCertificate", UserName=user, CertificateBody=f"\r\n{body}\r\n")
        assert found[0] == "DuplicateCertificate"
    await done(iam, "DeleteSigningCertificate", UserName="first", CertificateId=certificate_id)
    await upload(iam, "second", body)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("certificate", "MalformedCertificate"),
        (certified("x").pem * 2, "MalformedCertificate"),
        (certified("x").key_pem, "MalformedCertificate"),
        (certified("x", end=-1).pem, "InvalidCertificate"),
        (certified("x", start=1).pem, "InvalidCertificate"),
        (certified("x", ed25519.Ed25519PrivateKey.generate()).pem, "InvalidCertificate"),
    ],
    ids=["no PEM", "two", "a key", "expired", "not yet valid", "of a kind that is not taken"],
)
async def test_what_could_sign_nothing_is_refused(iam: Service, body: str, code: str) -> None:
    await done(iam, "CreateUser", UserName="bad")
    found = await refused(iam, "UploadSigningCertificate", UserName="bad", CertificateBody=body)
    assert found[0] == code
    await done(iam, "DeleteUser", UserName="bad")


async def test_a_certificate_is_switched_off_and_deleted_by_its_user_only(iam: Service) -> None:
    for name in ("owner", "stranger"):
        await done(iam, "CreateUser", UserName=name)
    certificate_id = await upload(iam, "owner")
    change = {"CertificateId": certificate_id}
    await done(iam, "UpdateSigningCertificate", UserName="owner", **change, Status="Inactive")
    [listed] = (await done(iam, "ListSigningCertificates", UserName="owner"))["Certificates"]
    assert listed["Status"] == "Inactive"
    expired = await refused(iam, "UpdateSigningCertificate", UserName="owner", **change, Status="Expired")
    assert expired[0] == "InvalidInput"
    gone = ("NoSuchEntity", f"The Certificate with id {certificate_id} cannot be found.")
    assert await refused(iam, "DeleteSigningCertificate", UserName="stranger", **change) == gone
    assert await refused(iam, "UpdateSigningCertificate", UserName="stranger", **change, Status="Active") == gone
    await done(iam, "DeleteSigningCertificate", UserName="owner", **change)
    assert await refused(iam, "DeleteSigningCertificate", UserName="owner", **change) == gone


async def test_permission_is_given_on_the_user_who_is_the_caller_when_none_is_named(iam: Service) -> None:
    key = await person(iam, "self", statement("Allow", "iam:*SigningCertificate*", user_arn("self")))
    await done(iam, "CreateUser", UserName="else")
    await done(iam, "UploadSigningCertificate", key, CertificateBody=certified("self").pem)
    assert len((await done(iam, "ListSigningCertificates", key))["Certificates"]) == 1
    denied = ("AccessDenied", denial("self", "ListSigningCertificates", user_arn("else")))
    assert await refused(iam, "ListSigningCertificates", key, UserName="else") == denied
    assert (await refused(iam, "ListSigningCertificates"))[0] == "ValidationError"  # root has no user
    nobody = ("NoSuchEntity", "The user with name nobody cannot be found.")
    assert await refused(iam, "ListSigningCertificates", UserName="nobody") == nobody
