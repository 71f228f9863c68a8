# SPDX-License-Identifier: Apache-2.0
"""Server certificates: what is taken, what is refused, and that the private key never comes out."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ed25519

from daypass.credentials import Secret
from daypass.iam import certificates
from daypass.iam.server_certificates import private_key_label
from daypass.sealing import MasterKey
from iam.certified import Certified, certified, ec_key, private_pem, rsa_key
from iam.kitchen import statement
from iam.people import asked, denial, done, person, refused
from in_process import ACCOUNT, NOW, Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
MASTER = MasterKey.generate()
TAGS = [{"Key": "team", "Value": "red"}]
ROOT_CA = certified("root", ec_key(1))
MIDDLE_CA = certified("middle", ec_key(2), issuer=ROOT_CA)
LEAF = certified("leaf", rsa_key(), issuer=MIDDLE_CA)
NOT_PEM = "Unable to parse certificate. Please ensure the certificate is in PEM format."
NOT_A_KEY = "Unable to parse private key. Please ensure the private key is in PEM format and is not encrypted."
MISMATCH = "The public key certificate and the private key do not match."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all: tests delete what they upload, for an account has twenty at most."""
    async with service(tmp_path_factory.mktemp("data"), master_key=Secret(MASTER)) as running:
        yield running


def certificate_arn(name: str, path: str = "/") -> str:
    return f"arn:aws:iam::{ACCOUNT}:server-certificate{path}{name}"


def upload(name: str, made: Certified = LEAF, **more: Any) -> dict[str, Any]:
    return {"ServerCertificateName": name, "CertificateBody": made.pem, "PrivateKey": made.key_pem} | more


async def end(iam: Service, *names: str) -> None:
    for name in names:
        await done(iam, "DeleteServerCertificate", ServerCertificateName=name)


async def test_a_certificate_is_kept_as_sent_and_shown_without_its_key(iam: Service) -> None:
    chain = MIDDLE_CA.pem + ROOT_CA.pem
    sent = upload("whole", CertificateChain=chain, Path="/team/", Tags=TAGS)
    made = await done(iam, "UploadServerCertificate", **sent)
    metadata = made["ServerCertificateMetadata"]
    assert made["Tags"] == TAGS
    assert metadata["ServerCertificateId"].startswith("ASCA")
    assert {key: value for key, value in metadata.items() if key != "ServerCertificateId"} == {
        "Path": "/team/",
        "ServerCertificateName": "whole",
        "Arn": certificate_arn("whole", "/team/"),
        "UploadDate": datetime.datetime.fromtimestamp(NOW, datetime.UTC),
        "Expiration": datetime.datetime.fromtimestamp(NOW + 86_400, datetime.UTC),
    }
    answer = await asked(iam, "GetServerCertificate", ServerCertificateName="whole")
    assert b"PRIVATE" not in answer.body
    shown = (await done(iam, "GetServerCertificate", ServerCertificateName="whole"))["ServerCertificate"]
    assert shown == {
        "ServerCertificateMetadata": metadata,
        "CertificateBody": LEAF.pem,
        "CertificateChain": chain,
        "Tags": TAGS,
    }
    stored = iam.app.store.view().server_certificates.with_name(ACCOUNT, "whole")
    assert stored is not None
    label = private_key_label(stored.unique_id)
    assert MasterKey.parse(MASTER).unwrap(stored.wrapped_private_key, label) == LEAF.key_pem.encode()
    assert "PRIVATE" not in repr(stored)
    await end(iam, "whole")


@pytest.mark.parametrize("made", [certified("curve"), certified("small", rsa_key(1024))], ids=["EC", "RSA 1024"])
async def test_keys_of_either_kind_are_taken(iam: Service, made: Certified) -> None:
    await done(iam, "UploadServerCertificate", **upload("kind", made))
    await end(iam, "kind")


def corrupted(key: str) -> str:
    """The key with one of its private numbers changed; what it says of its public half stays."""
    middle = len(key) // 2
    return key[:middle] + ("A" if key[middle] != "A" else "B") + key[middle + 1 :]


REFUSED = {
    "no PEM": (upload("x") | {"CertificateBody": "certificate"}, "MalformedCertificate", NOT_PEM),
    "no certificate in PEM": (
        upload("x") | {"CertificateBody": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"},
        "MalformedCertificate",
        NOT_PEM,
    ),
    "two certificates": (upload("x") | {"CertificateBody": LEAF.pem + ROOT_CA.pem}, "MalformedCertificate", NOT_PEM),
    "a key for a certificate": (upload("x") | {"CertificateBody": LEAF.key_pem}, "MalformedCertificate", NOT_PEM),
    "text around it": (upload("x") | {"CertificateBody": f"mine: {LEAF.pem}"}, "MalformedCertificate", NOT_PEM),
    "no key": (upload("x") | {"PrivateKey": "key"}, "MalformedCertificate", NOT_A_KEY),
    "a key behind a password": (
        upload("x") | {"PrivateKey": private_pem(rsa_key(), b"secret")},
        "MalformedCertificate",
        NOT_A_KEY,
    ),
    "a key whose numbers do not fit": (
        upload("x") | {"PrivateKey": corrupted(LEAF.key_pem)},
        "MalformedCertificate",
        NOT_A_KEY,
    ),
    "a key that is too long": (
        upload("x") | {"PrivateKey": LEAF.key_pem + " " * (4_097 - len(LEAF.key_pem))},
        "MalformedCertificate",
        NOT_A_KEY,
    ),
    "another key": (upload("x") | {"PrivateKey": private_pem(rsa_key(2048, 1))}, "KeyPairMismatch", MISMATCH),
    "a key of another kind": (upload("x") | {"PrivateKey": private_pem(ec_key())}, "KeyPairMismatch", MISMATCH),
    "a certificate of a kind that is not taken": (
        upload("x", certified("ed", ed25519.Ed25519PrivateKey.generate())),
        "MalformedCertificate",
        "The certificate's public key must be RSA of 1024 to 4096 bits, or elliptic curve.",
    ),
    "an issuer that is not its issuer": (
        upload("x", CertificateChain=ROOT_CA.pem),
        "MalformedCertificate",
        "The index within the chain of the invalid certificate is: 0",
    ),
    "a chain in the wrong order": (
        upload("x", CertificateChain=MIDDLE_CA.pem + LEAF.pem),
        "MalformedCertificate",
        "The index within the chain of the invalid certificate is: 1",
    ),
    "an issuer's name with another's key": (
        upload("x", CertificateChain=certified("middle", ec_key(3)).pem),
        "MalformedCertificate",
        "The index within the chain of the invalid certificate is: 0",
    ),
    "a chain with something else in it": (
        upload("x", CertificateChain=MIDDLE_CA.pem + "and so on"),
        "MalformedCertificate",
        "The index within the chain of the invalid certificate is: 1",
    ),
    "a chain that is too long": (
        upload("x", certified("self"), CertificateChain=certified("self").pem * 11),
        "MalformedCertificate",
        "The index within the chain of the invalid certificate is: 10",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_does_not_belong_together_is_refused(iam: Service, what: str) -> None:
    parameters, code, words = REFUSED[what]
    found = await refused(iam, "UploadServerCertificate", **parameters)
    assert (found[0], words in found[1]) == (code, True), found
    assert list(iam.app.store.view().server_certificates.of(ACCOUNT)) == []


async def test_the_longest_key_is_taken_and_no_longer_one(iam: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "CERTIFIED_KEY_BITS", 2048)  # longer ones take seconds to make
    await done(iam, "UploadServerCertificate", **upload("longest", PrivateKey=LEAF.key_pem.ljust(4_096)))
    await end(iam, "longest")
    found = await refused(iam, "UploadServerCertificate", **upload("longer", certified("longer", rsa_key(2056))))
    message = "The certificate's public key must be RSA of 1024 to 2048 bits, or elliptic curve."
    assert found == ("MalformedCertificate", message)


async def test_a_chain_is_as_long_as_it_may_be(iam: Service) -> None:
    own = certified("self")
    await done(iam, "UploadServerCertificate", **upload("long", own, CertificateChain=own.pem * 10))
    await end(iam, "long")


async def test_a_certificate_is_taken_from_its_first_to_its_last_second(iam: Service) -> None:
    await done(iam, "UploadServerCertificate", **upload("first", certified("x", start=0)))
    await done(iam, "UploadServerCertificate", **upload("last", certified("x", end=0)))
    late = await refused(iam, "UploadServerCertificate", **upload("late", certified("x", end=-1)))
    message = "Certificate is no longer valid. The 'Not After' date of the certificate has passed."
    assert late == ("MalformedCertificate", message)
    early = await refused(iam, "UploadServerCertificate", **upload("early", certified("x", start=1)))
    assert early[0] == "MalformedCertificate"
    await end(iam, "first", "last")


async def test_a_name_is_taken_whatever_its_case(iam: Service) -> None:
    await done(iam, "UploadServerCertificate", **upload("Taken"))
    exists = ("EntityAlreadyExists", "The Server Certificate with name TAKEN already exists.")
    assert await refused(iam, "UploadServerCertificate", **upload("TAKEN")) == exists
    await end(iam, "Taken")


async def test_an_account_has_twenty_certificates_in_pages_and_not_one_more(iam: Service) -> None:
    names = [f"n{number:02}" for number in range(20)]
    for name in names:
        await done(iam, "UploadServerCertificate", **upload(name, certified(name), Path="/many/"))
    beyond = ("LimitExceeded", "Cannot exceed quota for ServerCertificatesPerAccount: 20")
    assert await refused(iam, "UploadServerCertificate", **upload("n20")) == beyond
    first = await done(iam, "ListServerCertificates", PathPrefix="/many/", MaxItems=15)
    rest = await done(iam, "ListServerCertificates", PathPrefix="/many/", Marker=first["Marker"])
    listed = first["ServerCertificateMetadataList"] + rest["ServerCertificateMetadataList"]
    assert [found["ServerCertificateName"] for found in listed] == names
    assert (await done(iam, "ListServerCertificates", PathPrefix="/else/"))["ServerCertificateMetadataList"] == []
    await end(iam, *names)


async def test_a_certificate_gets_another_name_and_path_and_stays_itself(iam: Service) -> None:
    made = await done(iam, "UploadServerCertificate", **upload("old"))
    await done(iam, "UploadServerCertificate", **upload("other"))
    in_the_way = await refused(
        iam, "UpdateServerCertificate", ServerCertificateName="old", NewServerCertificateName="OTHER"
    )
    assert in_the_way[0] == "EntityAlreadyExists"
    await done(iam, "UpdateServerCertificate", ServerCertificateName="old", NewServerCertificateName="OLD")
    await done(iam, "UpdateServerCertificate", ServerCertificateName="OLD", NewPath="/new/")
    shown = (await done(iam, "GetServerCertificate", ServerCertificateName="OLD"))["ServerCertificate"]
    metadata = shown["ServerCertificateMetadata"]
    assert metadata["ServerCertificateId"] == made["ServerCertificateMetadata"]["ServerCertificateId"]
    assert metadata["Arn"] == certificate_arn("OLD", "/new/")
    gone = ("NoSuchEntity", "The Server Certificate with name old cannot be found.")
    assert await refused(iam, "GetServerCertificate", ServerCertificateName="old") == gone
    await end(iam, "OLD", "other")


async def test_renaming_needs_permission_for_the_old_and_the_new(iam: Service) -> None:
    await done(iam, "UploadServerCertificate", **upload("before", Path="/team/"))
    old, new = certificate_arn("before", "/team/"), certificate_arn("after", "/team/")
    change = {"ServerCertificateName": "before", "NewServerCertificateName": "after"}
    one = await person(iam, "one", statement("Allow", "iam:UpdateServerCertificate", old))
    assert await refused(iam, "UpdateServerCertificate", one, **change) == (
        "AccessDenied",
        denial("one", "UpdateServerCertificate", new),
    )
    both = await person(iam, "both", statement("Allow", "iam:UpdateServerCertificate", [old, new]))
    await done(iam, "UpdateServerCertificate", both, **change)
    await end(iam, "after")


async def test_tags_of_the_request_and_of_the_certificate_are_condition_keys(iam: Service) -> None:
    tagged = {**statement("Allow", "iam:UploadServerCertificate"), "Condition": equals("aws:RequestTag/team")}
    own = {**statement("Allow", "iam:*ServerCertificate*"), "Condition": equals("aws:ResourceTag/team")}
    ann = await person(iam, "ann", tagged, own)
    assert (await refused(iam, "UploadServerCertificate", ann, **upload("tagged")))[0] == "AccessDenied"
    await done(iam, "UploadServerCertificate", ann, **upload("tagged", Tags=TAGS))
    more = [{"Key": "cost", "Value": "7"}]
    await done(iam, "TagServerCertificate", ann, ServerCertificateName="tagged", Tags=more)
    listed = await done(iam, "ListServerCertificateTags", ann, ServerCertificateName="tagged", MaxItems=1)
    assert (listed["Tags"], listed["IsTruncated"]) == (more, True)
    await done(iam, "UntagServerCertificate", ann, ServerCertificateName="tagged", TagKeys=["TEAM"])
    assert (await refused(iam, "GetServerCertificate", ann, ServerCertificateName="tagged"))[0] == "AccessDenied"
    assert (await done(iam, "ListServerCertificateTags", ServerCertificateName="tagged"))["Tags"] == more
    await end(iam, "tagged")


def equals(key: str) -> dict[str, dict[str, str]]:
    return {"StringEquals": {key: "red"}}
