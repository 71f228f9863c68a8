# SPDX-License-Identifier: Apache-2.0
"""What the doors note: the AWS door, and signing in; what was answered, and what was refused, and why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials
from signxml.algorithms import DigestAlgorithm, SignatureMethod

from audit.trails import recorded
from fakes.saml_idp import Encryption, FakeSamlIdp, private_key, rsa_key
from in_process import ACCOUNT, ENCODED, ROOT, Service
from signin.corporate import PROVIDER, Corporate, corporate, role_arn
from sts.asking import asked, given
from sts.saml_desk import PROVIDER_ARN, SamlDesk, register, saml_desk, words

pytestmark = pytest.mark.asyncio(loop_scope="module")

CBC = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
OLD, SMALL = (f"arn:aws:iam::{ACCOUNT}:saml-provider/{name}" for name in ("Old", "Small"))
RULES: dict[str, Any] = {
    "saml": {
        "providers": {
            PROVIDER_ARN: {"replay": "aws"},
            OLD: {"allow_sha1": True, "allow_cbc": True},
            SMALL: {"allow_small_rsa": True},
        }
    }
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(place: Path) -> AsyncIterator[SamlDesk]:
    async with saml_desk(place) as running:
        yield running


async def newest(running: Service, place: Path) -> dict[str, Any]:
    return (await recorded(running, place))[-1]


async def ann(running: Service, *statements: dict[str, Any]) -> Credentials:
    """A user with a key and one policy."""
    await running.call("iam", "CreateUser", UserName="ann")
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    await running.call("iam", "PutUserPolicy", UserName="ann", PolicyName="main", PolicyDocument=policy)
    made = await running.call("iam", "CreateAccessKey", UserName="ann")
    return Credentials(str(made.text("AccessKeyId")), str(made.text("SecretAccessKey")))


# The AWS door


async def test_a_write_is_noted_with_what_was_asked_and_what_was_made(desk: SamlDesk, place: Path) -> None:
    answer = await desk.sts.call("iam", "CreateGroup", GroupName="admins", Path="/team/")
    record = await newest(desk.sts, place)
    assert (record["eventSource"], record["eventName"], record["readOnly"]) == (
        "iam.amazonaws.com",
        "CreateGroup",
        False,
    )
    assert record["requestParameters"] == {"groupName": "admins", "path": "/team/"}
    assert record["responseElements"]["group"]["groupId"] == answer.text("GroupId")
    assert record["requestID"] == answer.headers[b"x-amzn-requestid"].decode()
    assert record["sourceIPAddress"] == "127.0.0.1"
    assert record["userIdentity"]["accessKeyId"] == ROOT.access_key
    assert record["resources"] == [{"ARN": f"arn:aws:iam::{ACCOUNT}:group/team/admins", "accountId": ACCOUNT}]


async def test_a_read_is_noted_without_what_was_read(desk: SamlDesk, place: Path) -> None:
    await desk.sts.call("iam", "ListRoles")
    record = await newest(desk.sts, place)
    assert (record["eventName"], record["readOnly"], record["responseElements"]) == ("ListRoles", True, None)


async def test_a_denial_is_noted_with_the_decision_that_the_caller_was_sealed(desk: SamlDesk, place: Path) -> None:
    keys = await ann(desk.sts, {"Sid": "Own", "Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"})
    denied = await desk.sts.call("iam", "DeleteUser", keys, UserName="ann")
    record = await newest(desk.sts, place)
    assert (record["errorCode"], record["errorMessage"]) == ("AccessDenied", denied.message)
    assert ENCODED not in record["errorMessage"]
    data = record["additionalEventData"]
    assert data["reason"] == "not-authorized"
    opened = await given(desk.sts, "DecodeAuthorizationMessage", EncodedMessage=denied.encoded)
    assert json.loads(opened["DecodedMessage"]) == data["decision"]
    assert data["decision"]["explanation"]["counterfactual"] == ["allow in identity"]


async def test_a_denial_whose_reason_the_caller_may_not_know_has_its_decision_in_the_trail(
    desk: SamlDesk, place: Path
) -> None:
    keys = Credentials(*await _second_key(desk.sts))
    wanted = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/Nobody", "RoleSessionName": "ann"}
    denied = await asked(desk.sts, "AssumeRole", keys, **wanted)
    assert (denied.code, denied.encoded) == ("AccessDenied", "")
    record = await newest(desk.sts, place)
    assert record["additionalEventData"]["decision"]["context"]["action"] == "sts:AssumeRole"


async def _second_key(running: Service) -> tuple[str, str]:
    await running.call("iam", "CreateUser", UserName="eve")
    made = await running.call("iam", "CreateAccessKey", UserName="eve")
    return str(made.text("AccessKeyId")), str(made.text("SecretAccessKey"))


async def test_who_signed_wrongly_is_nobody_and_the_key_a_claim(desk: SamlDesk, place: Path) -> None:
    await desk.sts.call("iam", "GetUser", Credentials(ROOT.access_key, "another secret"), UserName="ann")
    record = await newest(desk.sts, place)
    assert record["userIdentity"] == {"type": "Unknown"}
    assert record["additionalEventData"] == {
        "reason": "signature-does-not-match",
        "claimedAccessKeyId": ROOT.access_key,
    }
    assert record["requestParameters"] == {"userName": "ann"}


async def test_what_cannot_be_read_is_noted_all_the_same(desk: SamlDesk, place: Path) -> None:
    await desk.sts.send("PUT")
    assert (await newest(desk.sts, place))["additionalEventData"] == {"reason": "malformed-request"}
    await desk.sts.send(headers=[(b"x", b"y")] * 101)
    assert (await newest(desk.sts, place))["additionalEventData"] == {"reason": "request-too-large"}


async def test_an_answer_does_not_fail_because_of_its_record(
    desk: SamlDesk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_event: Any) -> None:
        raise ValueError

    monkeypatch.setattr(desk.sts.app.audit, "note", broken)
    assert (await desk.sts.call("iam", "ListRoles")).status == 200
    assert (await desk.sts.call("iam", "ListRoles", None)).code == "MissingAuthenticationToken"
    assert "".join(capsys.readouterr()).count("internal failure") == 2


async def test_a_session_is_noted_with_whose_it_is_and_when_it_ends(desk: SamlDesk, place: Path) -> None:
    role = await desk.role()
    output = await desk.output(role)
    issued = await newest(desk.sts, place)
    assert issued["responseElements"] == {
        "credentials": {
            "accessKeyId": output["Credentials"]["AccessKeyId"],
            "expiration": output["Credentials"]["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "assumedRoleUser": {
            "assumedRoleId": output["AssumedRoleUser"]["AssumedRoleId"],
            "arn": output["AssumedRoleUser"]["Arn"],
        },
    }
    assert issued["userIdentity"] == {
        "type": "SAMLUser",
        "principalId": f"{output['NameQualifier']}:alice",
        "userName": "alice",
        "identityProvider": PROVIDER_ARN,
    }
    await desk.session(role)
    credentials = output["Credentials"]
    keys = Credentials(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])
    await desk.sts.call("sts", "GetCallerIdentity", keys)
    used = (await newest(desk.sts, place))["userIdentity"]
    assert (used["type"], used["accessKeyId"]) == ("AssumedRole", keys.access_key)
    assert used["sessionContext"]["sessionIssuer"]["arn"] == role
    assert used["sessionContext"]["webIdFederationData"] == {
        "federatedProvider": PROVIDER_ARN,
        "attributes": {"sub": "alice"},
    }


async def test_an_accepted_assertion_is_noted_by_digest_and_by_who_signed_it(desk: SamlDesk, place: Path) -> None:
    await desk.session(await desk.role(), assertion_id="_golden")
    data = (await newest(desk.sts, place))["additionalEventData"]
    assert data == {
        "provider": PROVIDER_ARN,
        "assertionIdSha256": hashlib.sha256(b"_golden").hexdigest(),
        "certificateSha256": hashlib.sha256(desk.idp.certificate).hexdigest(),
    }


async def test_a_proof_that_verifies_is_noted_though_no_role_trusts_it_with_the_decision(
    desk: SamlDesk, place: Path
) -> None:
    role = await desk.role(trust=desk.trust(condition={"StringEquals": {"SAML:sub": "bob"}}))
    assert (await desk.refused(role))[0] == "AccessDenied"
    record = await newest(desk.sts, place)
    assert (record["userIdentity"]["type"], record["userIdentity"]["userName"]) == ("SAMLUser", "alice")
    assert record["additionalEventData"]["reason"] == "not-trusted"
    explanation = record["additionalEventData"]["decision"]["explanation"]
    assert explanation["cause"]["layer"] == "trust"
    [statement] = explanation["statements"]
    assert statement["conditions"][0]["policy"] == ["bob"]


async def test_a_role_that_is_not_there_has_no_decision(desk: SamlDesk, place: Path) -> None:
    nobody = f"arn:aws:iam::{ACCOUNT}:role/Nobody"
    assert (await desk.refused(nobody))[0] == "AccessDenied"
    record = await newest(desk.sts, place)
    assert record["additionalEventData"]["reason"] == "not-trusted"
    assert "decision" not in record["additionalEventData"]


async def test_a_refused_proof_is_nobodys_and_what_it_claims_are_parameters(desk: SamlDesk, place: Path) -> None:
    role = await desk.role()
    await desk.refused(role, sign="none")
    record = await newest(desk.sts, place)
    assert record["userIdentity"] == {"type": "Unknown"}
    assert record["requestParameters"] == {"roleArn": role, "principalArn": PROVIDER_ARN}
    assert record["recipientAccountId"] == ACCOUNT
    assert record["additionalEventData"] == {"reason": "saml-unsigned"}


async def test_exceptions_that_were_made_use_of_are_noted(tmp_path: Path) -> None:
    small = FakeSamlIdp("urn:small", key=private_key("RSA", 0, 1024))
    async with saml_desk(tmp_path, RULES) as lenient:
        ours = rsa_key(11)
        await register(lenient.sts, lenient.idp, "Old", AssertionEncryptionMode="Allowed", AddPrivateKey=_pem(ours))
        await register(lenient.sts, small, "Small")
        used = {}
        sha1 = {"method": SignatureMethod.RSA_SHA1, "digest": DigestAlgorithm.SHA1}
        only_digest = {"digest": DigestAlgorithm.SHA1}
        cbc = {"encryption": Encryption(ours, algorithm=CBC)}
        for name, arn, more in (
            ("replay", PROVIDER_ARN, {}),
            ("sha1", OLD, sha1),
            ("digest", OLD, only_digest),
            ("response", OLD, {"sign": "response", **sha1}),
            ("cbc", OLD, cbc),
            ("gcm", OLD, {"encryption": Encryption(ours)}),
            ("none", OLD, {}),
            ("small", SMALL, {"idp": small}),
        ):
            role = await lenient.role(trust=lenient.trust(provider=arn))
            await lenient.output(role, words(role, arn), PrincipalArn=arn, **more)
            used[name] = (await newest(lenient.sts, tmp_path))["additionalEventData"].get("weak")
    assert used == {
        "replay": ["replay"],
        "sha1": ["sha1"],
        "digest": ["sha1"],
        "response": ["sha1"],
        "cbc": ["cbc"],
        "gcm": None,
        "none": None,
        "small": ["small-rsa"],
    }


def _pem(key: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii"))


# Signing in with a browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("office")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acme(office: Path) -> AsyncIterator[Corporate]:
    async with corporate(office) as made:
        yield made


async def test_the_steps_of_a_sign_in_are_noted(acme: Corporate, office: Path) -> None:
    browser = acme.browser()
    page = await acme.choose(browser, await acme.tile(browser, acme.response(subject="alice")))
    assert page.status == 200
    received, chosen = (await recorded(acme.service, office))[-2:]
    assert {one["eventSource"] for one in (received, chosen)} == {"signin.amazonaws.com"}
    assert [one["eventName"] for one in (received, chosen)] == ["ReceiveSamlResponse", "AssumeRoleWithSAML"]
    assert {one["userIdentity"]["userName"] for one in (received, chosen)} == {"alice"}
    assert chosen["requestParameters"] == {"roleArn": role_arn("Analyst"), "principalArn": PROVIDER}
    shown = {found["id"]: text for found, text in page.read.all("pre") if "id" in found}
    assert chosen["responseElements"]["credentials"]["accessKeyId"] == shown["access-key-id"]
    assert received["responseElements"] is None
    everything = json.dumps([received, chosen])
    assert shown["secret-access-key"] not in everything
    assert shown["session-token"] not in everything


async def test_a_sign_in_that_is_refused_is_noted_with_its_reason(acme: Corporate, office: Path) -> None:
    browser = acme.browser()
    assert (await acme.tile(browser, acme.response(audience="https://other.example.org"))).status == 400
    refused = await newest(acme.service, office)
    assert (refused["eventName"], refused["additionalEventData"]) == (
        "ReceiveSamlResponse",
        {"reason": "saml-audience-mismatch"},
    )
    response = acme.response()
    page = await acme.tile(browser, response)
    kept = dict(browser.jar)
    assert (await acme.choose(browser, page)).status == 200
    browser.jar = kept
    assert (await acme.choose(browser, page)).status == 400
    replayed = await newest(acme.service, office)
    assert replayed["additionalEventData"]["reason"] == "saml-replayed"
    assert replayed["userIdentity"]["userName"] == "alice"


async def test_a_sign_in_that_begins_here_is_noted_and_pages_that_tell_nothing_are_not(
    acme: Corporate, office: Path
) -> None:
    browser = acme.browser()
    await browser.get(f"/portal/saml/{ACCOUNT}/corporate/start")
    begun = await newest(acme.service, office)
    assert (begun["eventName"], begun["requestParameters"]) == (
        "StartSamlSignIn",
        {"account": ACCOUNT, "provider": "corporate"},
    )
    before = len(await recorded(acme.service, office))
    await browser.get("/portal/static/signin.css")
    await browser.get("/saml/metadata")
    await browser.get("/portal/nothing")
    assert len(await recorded(acme.service, office)) == before
