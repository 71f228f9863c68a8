# SPDX-License-Identifier: Apache-2.0
"""A service in Python that asks with the library, and a client that asks as RGW does, at a running server."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Pair

from daypass.credentials import Secret
from daypass.errors import AccessDeniedError, AuthenticationError, UnavailableError
from daypass.verify import BlockingVerifier, Credentials, Permission, RawRequest, Verifier
from running import Keys, Server, running_server

ACCOUNT = "123456789012"
NOTES = f"arn:aws:daypass:us-east-1:{ACCOUNT}:service/notes"
S3TOKENS = f"arn:aws:daypass:us-east-1:{ACCOUNT}:service/s3tokens"
READ = Permission("notes:Read", "arn:aws:notes:::1")
WRITE = Permission("notes:Write", "arn:aws:notes:::1")
SETTINGS = {"service": "notes", "region": "us-east-1", "account": ACCOUNT}
TOKEN = "what-rgw-shows"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@dataclass(frozen=True)
class Place:
    """A server, the keys of the service that asks, and of a user who may read notes and sign in at RGW."""

    server: Server
    service: Keys
    user: Keys

    @property
    def credentials(self) -> Credentials:
        """The service's."""
        return Credentials(self.service.access_key_id, Secret(self.service.secret_access_key))

    def request(self, target: str = "/notes/1", keys: Keys | None = None) -> RawRequest:
        """A request for notes, signed by botocore."""
        request = AWSRequest(method="GET", url=f"http://notes.test{target}", headers={"Host": "notes.test"})
        keys = keys or self.user
        pair = Pair(keys.access_key_id, keys.secret_access_key, keys.session_token)
        SigV4Auth(pair, "notes", "us-east-1").add_auth(request)
        headers = tuple((name.lower().encode(), value.encode()) for name, value in request.headers.items())
        return RawRequest("GET", target.encode(), b"", headers)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("verify")
    token = folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    configuration = folder / "daypass.yaml"
    configuration.write_text(f"gateway: {{keystone: {{token: {{file: {token}}}}}}}\n")
    with running_server(folder, config=configuration) as server:
        asks = ["daypass:VerifyRequest", "daypass:Decide", "daypass:GetSigningKey"]
        service = user(server, "svc", asks, [NOTES])
        caller = user(server, "ann", ["notes:Read", "daypass:UseS3Tokens"], ["arn:aws:notes:::1", S3TOKENS])
        yield Place(server, service, caller)
        assert server.alarms() == []


def user(server: Server, name: str, actions: list[str], resources: list[str]) -> Keys:
    iam = server.client("iam", server.root())
    iam.create_user(UserName=name)
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources}],
    }
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Keys(key["AccessKeyId"], key["SecretAccessKey"])


async def test_a_service_asks_once_and_verifies_the_rest_itself(place: Place) -> None:
    async with Verifier(place.server.url, place.credentials, **SETTINGS) as verifier:
        callers = await asyncio.gather(
            *[
                verifier.authorize(place.request(f"/notes/{number}"), [READ], payload_sha256=EMPTY)
                for number in range(50)
            ]
        )
        assert {caller.arn for caller in callers} == {f"arn:aws:iam::{ACCOUNT}:user/ann"}
        with pytest.raises(AccessDeniedError, match="notes:Write"):
            await verifier.authorize(place.request(), [WRITE], payload_sha256=EMPTY)
        good = place.request()
        with pytest.raises(AuthenticationError):
            await verifier.identify(RawRequest("GET", b"/notes/2", b"", good.headers), payload_sha256=EMPTY)


def test_a_service_with_threads_does_the_same_and_is_refused_what_it_may_not(place: Place) -> None:
    with BlockingVerifier(place.server.url, place.credentials, **SETTINGS) as verifier:
        assert verifier.authorize(place.request(), [READ], payload_sha256=EMPTY).kind == "User"
        caller = verifier.identify(place.request(), payload_sha256=EMPTY)
        assert [one.allowed for one in verifier.allowed(caller, [READ, WRITE])] == [True, False]
    other = {**SETTINGS, "service": "invoices"}
    with (
        BlockingVerifier(place.server.url, place.credentials, **other) as verifier,
        pytest.raises(UnavailableError, match="403"),
    ):
        verifier.identify(place.request(), payload_sha256=EMPTY)


def test_what_is_known_outlives_a_server_that_is_killed(place: Place, tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        service = user(server, "svc", ["daypass:*"], [NOTES])
        caller = Place(server, service, user(server, "ann", ["notes:Read"], ["*"]))
        with BlockingVerifier(server.url, caller.credentials, **SETTINGS) as verifier:
            verifier.identify(caller.request(), payload_sha256=EMPTY)
            server.kill9()
            assert verifier.identify(caller.request("/notes/2"), payload_sha256=EMPTY).kind == "User"
            with pytest.raises(UnavailableError):
                verifier.authorize(caller.request("/notes/2"), [READ], payload_sha256=EMPTY)


def asked_like_rgw(server: Server, keys: Keys, token: str = TOKEN) -> tuple[int, Any]:
    """Sign a request for an object as boto3 does, and ask about its string to sign as rgw_auth_keystone.cc does."""
    request = AWSRequest(method="GET", url="http://rgw.test/bucket/key", headers={"Host": "rgw.test"})
    signer = S3SigV4Auth(Pair(keys.access_key_id, keys.secret_access_key), "s3", "us-east-1")
    signer.add_auth(request)
    text = signer.string_to_sign(request, signer.canonical_request(_unsigned(request)))
    signature = request.headers["Authorization"].rpartition("Signature=")[2]
    body = json.dumps(
        {
            "credentials": {
                "access": keys.access_key_id,
                "token": b64encode(text.encode()).decode(),
                "signature": signature,
            }
        }
    )
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("POST", "/v3/s3tokens", body, {"X-Auth-Token": token, "Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def _unsigned(request: AWSRequest) -> AWSRequest:
    """The request as it was before its signature was added to it."""
    headers = {name: value for name, value in request.headers.items() if name != "Authorization"}
    unsigned = AWSRequest(method=request.method, url=request.url, headers=headers)
    unsigned.context["timestamp"] = request.context["timestamp"]
    return unsigned


def test_rgw_is_told_whose_request_it_has(place: Place) -> None:
    status, answer = asked_like_rgw(place.server, place.user)
    assert status == 200
    assert answer["token"]["project"]["id"] == ACCOUNT
    assert answer["token"]["user"]["name"] == "ann"
    ends = time.strptime(answer["token"]["expires_at"], "%Y-%m-%dT%H:%M:%S.000000Z")
    assert ends > time.gmtime()


def test_rgw_is_told_nothing_of_those_who_may_not_or_if_it_shows_nothing(place: Place) -> None:
    assert asked_like_rgw(place.server, place.service)[0] == 403
    assert asked_like_rgw(place.server, place.user, token="guess")[0] == 401
    forged = Keys(place.user.access_key_id, "not-the-secret")
    assert asked_like_rgw(place.server, forged)[0] == 401
