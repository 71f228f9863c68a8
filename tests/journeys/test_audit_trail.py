# SPDX-License-Identifier: Apache-2.0
"""The audit trail over the wire: who did what, why a request was refused, two workers, and what kill -9 leaves of it."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from daypass.cli.audit.selection import Wanted
from daypass.cli.audit.selection import search as trail
from daypass.clock import system_clock
from fakes.saml_idp import FakeSamlIdp, rsa_key
from journeys.roles import ACCOUNT, Issuer, allow, document, role_arn, unique
from journeys.wire import get_caller_identity
from running import Keys, Server, running_server

AWS: Final = "https://aws.amazon.com/SAML/Attributes/"
SECONDS: Final = 20.0
"""How long a test waits for a record; records are two seconds late."""


def daypass(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command on the server's store, in a process of its own."""
    command = [sys.executable, "-m", "daypass", *arguments, "--data-dir", str(server.data_dir)]
    environment = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False)


def search(server: Server, *arguments: str) -> list[dict[str, Any]]:
    """The records that ``daypass audit search`` finds."""
    ran = daypass(server, "audit", "search", "--json", *arguments)
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def record_of(server: Server, request_id: str) -> dict[str, Any]:
    """The record of a request, as soon as it is written."""
    [record] = wait_for(server, Wanted(request_id=request_id))
    return record


def wait_for(server: Server, wanted: Wanted) -> list[dict[str, Any]]:
    """Records, as soon as there is one; the newest first."""
    deadline = time.monotonic() + SECONDS
    while not (found := list(trail(server.data_dir / "daypass.db", wanted))):
        assert time.monotonic() < deadline, "there is no such record"
        time.sleep(0.05)
    return found


def id_of(answer: dict[str, Any]) -> str:
    return str(answer["ResponseMetadata"]["RequestId"])


def test_credentials_for_a_token_are_in_the_trail_without_their_secrets(server: Server, issuer: Issuer) -> None:
    role = issuer.role()
    token = issuer.token(jti="token-1")
    answer = issuer.assume(role, token)
    record = record_of(server, id_of(answer))
    assert record["eventName"] == "AssumeRoleWithWebIdentity"
    assert record["userIdentity"]["type"] == "WebIdentityUser"
    assert record["userIdentity"]["userName"] == "alice"
    assert record["requestParameters"] == {"roleArn": role_arn(role), "roleSessionName": "session"}
    assert record["responseElements"]["credentials"]["accessKeyId"] == answer["Credentials"]["AccessKeyId"]
    assert record["additionalEventData"]["tokenIdSha256"] == hashlib.sha256(b"token-1").hexdigest()
    assert "Boto3" in record["userAgent"]
    text = json.dumps(record)
    for secret in (token, answer["Credentials"]["SecretAccessKey"], answer["Credentials"]["SessionToken"]):
        assert secret not in text


def test_why_tells_of_a_denied_request_what_would_have_to_change(server: Server, issuer: Issuer) -> None:
    role = issuer.role(allow("iam:GetRole", resource=role_arn("another")))
    iam = server.client("iam", issuer.session(role))
    with pytest.raises(ClientError) as caught:
        iam.get_role(RoleName=role)
    asked = id_of(caught.value.response)  # type: ignore[arg-type]
    assert record_of(server, asked)["additionalEventData"]["reason"] == "not-authorized"
    ran = daypass(server, "why", asked)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0] == f"DENIED (implicit)  iam:GetRole on {role_arn(role)}"
    assert "→ ✕ identity-based policies: no statement allows it (this decides)" in lines
    assert f"          Resource ✕ {role_arn('another')} (the resource part differs)" in lines
    assert f"  - add a statement that allows iam:GetRole on {role_arn(role)} (identity-based policies)" in lines
    told = json.loads(daypass(server, "why", asked, "--json").stdout)
    assert told["record"]["additionalEventData"]["decision"]["allowed"] is False


def test_the_caller_of_a_chained_session_is_named_with_role_session_and_whoever_began_it(
    server: Server, issuer: Issuer
) -> None:
    first = issuer.role(allow("sts:AssumeRole"))
    trust = {"Effect": "Allow", "Principal": {"AWS": role_arn(first)}, "Action": "sts:AssumeRole"}
    second = unique("role")
    issuer.iam.create_role(RoleName=second, AssumeRolePolicyDocument=document(trust))
    sts = server.client("sts", issuer.session(first))
    chained = sts.assume_role(RoleArn=role_arn(second), RoleSessionName="chained")
    asked = server.client("sts", Keys.of(chained["Credentials"])).get_caller_identity()
    record = record_of(server, id_of(asked))
    who = record["userIdentity"]
    assert who["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{second}/chained"
    assert who["sessionContext"]["sessionIssuer"]["arn"] == role_arn(second)
    assert who["sessionContext"]["webIdFederationData"]["attributes"] == {"sub": "alice"}
    assert record["additionalEventData"]["chain"] == [f"arn:aws:sts::{ACCOUNT}:assumed-role/{first}/session"]


def test_credentials_of_a_container_are_in_the_trail_with_the_door(server: Server, issuer: Issuer) -> None:
    role, token = issuer.role(), issuer.token()
    url = f"{server.url}/container-credentials?role={role}"
    with urlopen(Request(url, headers={"Authorization": token})) as answer:
        credentials, request_id = json.load(answer), answer.headers["x-amzn-requestid"]
    record = record_of(server, request_id)
    assert (record["eventName"], record["additionalEventData"]["door"]) == (
        "AssumeRoleWithWebIdentity",
        "container-credentials",
    )
    assert record["responseElements"]["credentials"]["accessKeyId"] == credentials["AccessKeyId"]
    text = json.dumps(record)
    assert not [secret for secret in (token, credentials["SecretAccessKey"], credentials["Token"]) if secret in text]


def test_what_is_refused_to_containers_is_in_the_trail_with_the_door(server: Server) -> None:
    with pytest.raises(HTTPError) as caught:
        urlopen(f"{server.url}/container-credentials")
    with caught.value as answer:
        assert answer.code == 400
        refused = record_of(server, answer.headers["x-amzn-requestid"])
    assert (refused["eventName"], refused["additionalEventData"]["reason"]) == (
        "AssumeRoleWithWebIdentity",
        "invalid-parameter",
    )
    assert refused["additionalEventData"]["door"] == "container-credentials"


# SAML: every refusal can be found by its reason


@dataclass
class Office:
    """A server, and a provider whose assertions it takes."""

    server: Server
    idp: FakeSamlIdp
    arn: str
    role: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def parameters(self, /, *, idp: FakeSamlIdp | None = None, raw: Any = None, **said: Any) -> dict[str, str]:
        """AssumeRoleWithSAML with an assertion that no other test has. ``raw``: changes the response after it was signed."""
        speaking = idp or self.idp
        speaking.now = float(int(system_clock()))
        attributes = {AWS + "Role": [f"{self.role},{self.arn}"], AWS + "RoleSessionName": ["ann"]}
        defaults = {
            "audience": f"{self.server.url}/saml/metadata",
            "recipient": f"{self.server.url}/saml",
            "destination": f"{self.server.url}/saml",
            "assertion_id": f"_assertion-{next(self._numbers)}",
            "session_until": None,
            "attributes": attributes,
        }
        response = speaking.response(**{**defaults, **said})
        assertion = base64.b64encode(response if raw is None else raw(response)).decode("ascii")
        return {"RoleArn": self.role, "PrincipalArn": self.arn, "SAMLAssertion": assertion}

    def assume(self, **parameters: str) -> Any:
        return self.server.client("sts").assume_role_with_saml(**parameters)


@pytest.fixture(scope="module")
def office(server: Server, iam: Any) -> Office:
    idp = FakeSamlIdp("urn:audited", key=rsa_key(21))
    metadata = idp.metadata().decode("ascii")
    arn = iam.create_saml_provider(Name=unique("office"), SAMLMetadataDocument=metadata)["SAMLProviderArn"]
    trust = {"Effect": "Allow", "Principal": {"Federated": arn}, "Action": "sts:AssumeRoleWithSAML"}
    name = unique("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    return Office(server, idp, arn, role_arn(name))


def two_assertions(root: Any) -> None:
    assertion = root.find("{*}Assertion")
    copy = type(assertion).__copy__(assertion)
    copy.set("ID", "_other")
    root.append(copy)


def signed_twice(raw: bytes) -> bytes:
    start, end = raw.index(b"<ds:Signature"), raw.index(b"</ds:Signature>") + len(b"</ds:Signature>")
    return raw[:end] + raw[start:end] + raw[end:]


OTHER: Final = "https://other.example.org/saml"
PAIR: Final = f"arn:aws:iam::{ACCOUNT}:role/Any,arn:aws:iam::{ACCOUNT}:saml-provider/Any"
NO_SESSION_NAME: Final = {"attributes": {AWS + "Role": [PAIR]}}
REFUSED: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "wrong audience": ({"audience": OTHER}, "saml-audience-mismatch"),
    "wrong recipient": ({"recipient": OTHER}, "saml-recipient-mismatch"),
    "wrong destination": ({"destination": OTHER, "sign": "both"}, "saml-destination-mismatch"),
    "another issuer": ({"issuer": "urn:other", "response_issuer": "urn:other"}, "saml-issuer-mismatch"),
    "expired": ({"not_on_or_after": -3600}, "saml-expired"),
    "not yet valid": ({"not_before": 3600}, "saml-not-yet-valid"),
    "unsigned": ({"sign": "none"}, "saml-unsigned"),
    "signed twice": ({"raw": signed_twice}, "saml-signature-misplaced"),
    "two assertions": ({"edit": two_assertions}, "saml-assertion-count"),
    "unknown certificate": ({"idp": FakeSamlIdp("urn:audited", key=rsa_key(22))}, "saml-signature-invalid"),
    "attribute missing": (NO_SESSION_NAME, "saml-session-name-missing"),
}


@pytest.fixture(scope="module")
def refusals(office: Office) -> dict[str, str]:
    """The ids of requests with each of the assertions that are refused."""
    return {what: caught(office, office.parameters(**said)) for what, (said, _) in REFUSED.items()}


@pytest.mark.parametrize("what", REFUSED)
def test_every_refused_assertion_leaves_its_reason(office: Office, refusals: dict[str, str], what: str) -> None:
    _, reason = REFUSED[what]
    record = record_of(office.server, refusals[what])
    assert record["additionalEventData"] == {"reason": reason}
    assert record["userIdentity"] == {"type": "Unknown"}
    assert record["requestParameters"] == {"roleArn": office.role, "principalArn": office.arn}
    found = trail(office.server.data_dir / "daypass.db", Wanted(reason=reason))
    assert refusals[what] in [one["requestID"] for one in found]


def caught(office: Office, parameters: dict[str, str]) -> str:
    """The id of a request that is refused."""
    with pytest.raises(ClientError) as error:
        office.assume(**parameters)
    return id_of(error.value.response)  # type: ignore[arg-type]


def test_a_replayed_assertion_and_a_pair_that_is_not_trusted_leave_their_reasons_and_whose_they_were(
    office: Office,
) -> None:
    parameters = office.parameters()
    accepted = record_of(office.server, id_of(office.assume(**parameters)))
    assert accepted["additionalEventData"]["certificateSha256"] == hashlib.sha256(office.idp.certificate).hexdigest()
    replayed = record_of(office.server, caught(office, parameters))
    assert replayed["additionalEventData"]["reason"] == "saml-replayed"
    digest = "assertionIdSha256"
    assert replayed["additionalEventData"][digest] == accepted["additionalEventData"][digest]
    foreign = record_of(office.server, caught(office, office.parameters() | {"RoleArn": role_arn("another")}))
    assert foreign["additionalEventData"]["reason"] == "not-trusted"
    assert {one["userIdentity"]["userName"] for one in (accepted, replayed, foreign)} == {"alice"}


# Workers and kills


def test_two_workers_write_one_chain(tmp_path: Path) -> None:
    with running_server(tmp_path, workers=2) as pair:
        root = pair.root()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: get_caller_identity(pair.url).signed(root).send(), range(200)))
        assert {answer.status for answer in answers} == {200}
        assert pair.stop() == 0, "what waits is written at the end"
        found = search(pair, "--event", "GetCallerIdentity", "--limit", "1000")
        assert len({record["requestID"] for record in found}) == len(found) == 200
        assert len({record["eventID"] for record in found}) == 200
        verified = json.loads(daypass(pair, "audit", "verify", "--json").stdout)
        assert verified["intact"]
        assert pair.alarms() == []


def test_a_kill_loses_no_more_than_the_last_seconds_and_the_chain_holds(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        sts = server.client("sts", server.root())
        kept = []
        for _ in range(3):
            kept.append(id_of(sts.get_caller_identity()))
            record_of(server, kept[-1])
            for _ in range(20):
                sts.get_caller_identity()
            server.kill9()
            assert daypass(server, "audit", "verify").returncode == 0
            server.start()
            sts = server.client("sts", server.root())
        record_of(server, id_of(sts.get_caller_identity()))
        found = {record["requestID"] for record in search(server, "--limit", "1000")}
        assert set(kept) <= found
        verified = json.loads(daypass(server, "audit", "verify", "--json").stdout)
        assert verified["intact"]
        assert verified["records"] == len(found)
        assert server.alarms() == []


def test_a_refusal_names_what_it_was_refused_for(server: Server, issuer: Issuer) -> None:
    token = issuer.token(aud="another")
    with pytest.raises(ClientError) as caught:
        issuer.assume(issuer.role(), token)
    refused: Any = caught.value.response
    record = record_of(server, id_of(refused))
    assert record["additionalEventData"]["reason"] == "token-audience-mismatch"
    assert (record["errorCode"], record["errorMessage"]) == (refused["Error"]["Code"], refused["Error"]["Message"])
