# SPDX-License-Identifier: Apache-2.0
"""
The example configurations of docs/proxies in the real proxies, with a fake daypass that records what it is asked.

What must hold: the request that is asked about is the request that goes on, nothing goes on unasked, and the backend believes
nothing that the client says of itself.
"""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from fakes.authz import ALLOWED, Answer, Denial, FakeAuthz, RecordingBackend, Seen, signed_by_the_client
from fakes.ext_authz import FakeExtAuthz
from real import s3_suite
from real.processes import START_SECONDS
from real.proxies import PROXIES, Proxy
from real.s3_backends import S3Backend, juicefs_gateway
from real.s3_clients import BotoClient, Restic
from real.s3_suite import AWKWARD_KEYS, OPERATIONS, expected, outcome
from real.s3_wire import SIGNED_CHUNKS, WireAnswer, exchange

SECRET = "between the proxy and daypass"
HOST = "s3.example.org"
DENIED = Denial(404, "NoSuchBucket", "The specified bucket does not exist")
ENVOY = ("envoy", "envoy-grpc")
PLAIN = {"Host": HOST, "Authorization": "AWS4-HMAC-SHA256 of-the-client", "X-Amz-Security-Token": "of-the-client"}


def fake_authz(proxy: str) -> FakeAuthz:
    """What this proxy asks."""
    return FakeExtAuthz(SECRET) if proxy == "envoy-grpc" else FakeAuthz(SECRET)


@dataclass
class Setting:
    """One proxy between nobody and a backend that records, with a daypass that records."""

    proxy: Proxy
    authz: FakeAuthz
    backend: RecordingBackend

    def send(self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> WireAnswer:
        """One request to the proxy, byte for byte."""
        length = {"Content-Length": str(len(body))} if body or method in ("PUT", "POST") else {}
        return exchange(self.proxy.url, method, target, PLAIN | (headers or {}) | length, body)

    def went_on(self) -> Seen:
        """The one request that the backend saw."""
        [seen] = self.backend.seen
        return seen


class Rigs:
    """The proxies, each started when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._settings: dict[str, Setting] = {}
        self._through: dict[str, BotoClient] = {}
        self._juicefs: S3Backend | None = None

    def setting(self, name: str) -> Setting:
        """A proxy with everything forgotten that was recorded before."""
        if name not in self._settings:
            authz = self._stack.enter_context(fake_authz(name))
            backend = self._stack.enter_context(RecordingBackend())
            places = {"daypass": authz.url, "upstream": backend.url, "backend": "lake", "secret": SECRET}
            proxy = self._stack.enter_context(PROXIES[name](self.folder / "recording", **places))
            self._settings[name] = Setting(proxy, authz, backend)
        setting = self._settings[name]
        setting.authz.reset()
        setting.backend.reset()
        return setting

    def juicefs(self) -> S3Backend:
        """A real backend, with a bucket for each proxy."""
        if self._juicefs is None:
            self._juicefs = self._stack.enter_context(juicefs_gateway(self.folder))
            for name in PROXIES:
                self._juicefs.client().create_bucket(Bucket=f"by-{name}")
        return self._juicefs

    def through(self, name: str) -> BotoClient:
        """boto3 with the backend's keys, whose signature passes a proxy on its way to the real backend."""
        if name not in self._through:
            there = self.juicefs()
            authz = self._stack.enter_context(fake_authz(name))
            authz.allowed = signed_by_the_client
            places = {"daypass": authz.url, "upstream": there.url, "backend": "lake", "secret": SECRET}
            proxy = self._stack.enter_context(PROXIES[name](self.folder / "real", **places))
            self._through[name] = BotoClient(proxy.url, there.keys)
            self._stack.callback(self._through[name].boto.close)
        return self._through[name]

    def close(self) -> None:
        """End everything."""
        self._stack.close()


@pytest.fixture(scope="module")
def rigs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rigs]:
    running = Rigs(tmp_path_factory.mktemp("proxies"))
    yield running
    running.close()


@pytest.fixture(params=sorted(PROXIES))
def setting(rigs: Rigs, request: pytest.FixtureRequest) -> Setting:
    return rigs.setting(request.param)


def test_an_allowed_request_goes_on_with_what_daypass_says_of_it(setting: Setting) -> None:
    answer = setting.send("GET", "/lake/key")
    seen = setting.went_on()
    assert (answer.status, answer.body) == (200, b"from the backend")
    assert {name: seen.get(name) for name in ALLOWED} == ALLOWED
    assert seen.get("Host") == HOST


def test_the_clients_session_token_does_not_go_on(setting: Setting) -> None:
    setting.send("GET", "/lake/key")
    assert setting.authz.asked[0].seen.get("X-Amz-Security-Token") == "of-the-client"
    assert setting.went_on().get("X-Amz-Security-Token") is None


def test_a_signature_that_daypass_does_not_replace_does_not_go_on(setting: Setting) -> None:
    setting.authz.allowed = lambda asked: {"X-Amz-Date": "20300101T000000Z", "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}
    setting.send("GET", "/lake/key")
    kept = setting.went_on().get("Authorization")
    # Envoy removes only what daypass names.
    assert kept == (PLAIN["Authorization"] if setting.proxy.name in ENVOY else None)


def test_the_question_has_the_request_without_its_body_and_the_secret(setting: Setting) -> None:
    headers = {"Content-Type": "text/plain", "x-amz-meta-color": "blue"}
    assert setting.send("PUT", "/lake/a%20key?x-id=PutObject", headers, b"the body").status == 200
    [asked] = setting.authz.asked
    assert (asked.method, asked.target, asked.host) == ("PUT", "/lake/a%20key?x-id=PutObject", HOST)
    assert asked.seen.get("X-Daypass-Proxy") == SECRET
    assert asked.seen.get("Authorization") == PLAIN["Authorization"]
    assert {name: asked.seen.get(name) for name in headers} == headers
    assert (asked.seen.body, setting.went_on().body) == (b"", b"the body")
    assert setting.went_on().get("X-Daypass-Proxy") is None


def test_a_denied_request_gets_awss_error_and_does_not_go_on(setting: Setting) -> None:
    setting.authz.decide = lambda asked: DENIED
    answer = setting.send("PUT", "/lake/key", body=b"the body")
    assert (answer.status, answer.body) == (404, DENIED.body())
    assert (answer.headers["content-type"], answer.headers["x-amz-request-id"]) == ("application/xml", "of-authz")
    assert setting.backend.seen == []


def test_a_denied_head_request_has_the_status(setting: Setting) -> None:
    setting.authz.decide = lambda asked: DENIED
    answer = setting.send("HEAD", "/lake/key")
    assert (answer.status, answer.body) == (404, b"")
    assert setting.backend.seen == []


def test_a_denied_upload_is_answered_before_its_body_is_sent(setting: Setting) -> None:
    setting.authz.decide = lambda asked: DENIED
    head = f"PUT /lake/key HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 50000000\r\nExpect: 100-continue\r\n\r\n"
    where = urlsplit(setting.proxy.url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=START_SECONDS) as connection:
        connection.sendall(head.encode())
        answer = b""
        while b"HTTP/1.1 404" not in answer:  # nginx and Envoy say 100 first
            piece = connection.recv(65536)
            assert piece, answer
            answer += piece
    assert setting.backend.seen == []


IDENTITY = [name for name in ALLOWED if name.startswith("X-Daypass-")] + ["X-Daypass-Source-Identity"]


@pytest.mark.parametrize(
    "name", [*IDENTITY, "x-daypass-principal", "X-Daypass-Proxy", "X-Daypass-Uri", "X-Daypass-Denial"]
)
def test_what_a_client_says_in_daypasss_name_does_not_arrive(setting: Setting, name: str) -> None:
    setting.send("GET", "/lake/key", {name: "forged"})
    [asked], seen = setting.authz.asked, setting.went_on()
    assert asked.seen.get("X-Daypass-Proxy") == SECRET
    assert "forged" not in [value for _, value in seen.headers]
    assert seen.target == "/lake/key"


@pytest.mark.parametrize("name", ["X-Original-URI", "X-Forwarded-Uri"])
def test_a_client_cannot_tell_another_request_than_it_sends(setting: Setting, name: str) -> None:
    method = name.rpartition("-")[0] + "-Method"
    setting.send("DELETE", "/lake/key", {name: "/lake/public", method: "GET", "X-Forwarded-Host": "other.example.org"})
    [asked] = setting.authz.asked
    assert (asked.method, asked.target, asked.host) == ("DELETE", "/lake/key", HOST)
    assert (setting.went_on().method, setting.went_on().target) == ("DELETE", "/lake/key")


def test_the_clients_address_is_the_proxys_word(setting: Setting) -> None:
    setting.send("GET", "/lake/key", {"X-Forwarded-For": "198.51.100.7", "X-Original-Address": "198.51.100.7"})
    # Envoy adds its own address to the one header, and tells the client's in the other.
    told = "X-Original-Address" if setting.proxy.name in ENVOY else "X-Forwarded-For"
    [address] = setting.authz.asked[0].seen.all(told)
    assert address.split(",")[-1].strip() == "127.0.0.1"
    assert setting.proxy.name not in ENVOY or setting.went_on().get("X-Original-Address") is None


LENGTHS = {
    "none": ({}, b"", None),
    "empty": ({"Content-Length": "0"}, b"", "0"),
    "five": ({"Content-Length": "5"}, b"12345", "5"),
    "chunks": ({"Transfer-Encoding": "chunked"}, b"5\r\n12345\r\n0\r\n\r\n", "chunked"),
}
SAID_OTHERWISE = {("traefik", "none"): "0", **{(name, "chunks"): None for name in ENVOY}}
"""Traefik knows no length from a length of 0; Envoy has forgotten about chunks when it asks."""


@pytest.mark.parametrize("case", LENGTHS)
@pytest.mark.parametrize("forged", [{}, {"X-Original-Content-Length": "7"}])
def test_the_length_of_the_body_is_told_by_the_proxy(setting: Setting, case: str, forged: dict[str, str]) -> None:
    headers, body, told = LENGTHS[case]
    answer = exchange(setting.proxy.url, "DELETE", "/lake/key", PLAIN | headers | forged, body)
    assert answer.status == 200
    wanted = SAID_OTHERWISE.get((setting.proxy.name, case), told)
    assert (setting.authz.asked[0].seen.get("X-Original-Content-Length") or None) == wanted
    assert setting.went_on().get("X-Original-Content-Length") is None
    assert setting.went_on().body == body.removeprefix(b"5\r\n").removesuffix(b"\r\n0\r\n\r\n")


def test_a_client_cannot_have_removed_what_daypass_has_set(setting: Setting) -> None:
    names = ", ".join(["close", *ALLOWED, "X-Original-URI", "X-Forwarded-Uri", "X-Daypass-Proxy"])
    where = urlsplit(setting.proxy.url)
    head = "".join(f"{name}: {value}\r\n" for name, value in {**PLAIN, "Connection": names}.items())
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=START_SECONDS) as connection:
        connection.sendall(f"GET /lake/key HTTP/1.1\r\n{head}\r\n".encode())
        while connection.recv(65536):
            pass
    for seen in setting.backend.seen:  # or it does not go on
        assert {name: seen.get(name) for name in ALLOWED} == ALLOWED


TARGETS = [
    "/",
    "/denied",
    "/.daypass/authz",
    "/authz/lake",
    "/lake//two",
    "//lake/first",
    "/lake/a%2Fb",
    "/lake/%2f",
    "/lake/a..b",
    "/lake/a/../b",
    "/lake/a/./b",
    "/lake/%2e%2e/b",
    "/../b",
    "/lake/a%20b+c%2Bd",
    "/lake/%E2%82%AC%01%7F",
    "/lake/lower%e2%82%ac",
    "/lake/a%00b",
    "/lake/%7Etilde~",
    "/lake/a%25b%3Fc%23d%5ce",
    "/lake/a;b%3Bc=d,e:f@g&h$i",
    "/lake/'()*!",
    '/lake/[a]|^`{}"<>',
    "/lake/key?",
    "/lake/key??",
    "/lake/?list-type=2&prefix=a%2Fb%20c&delimiter=%2F&start-after",
    "/lake/?prefix=a+b&prefix=c&%70refix=%7e",
    "/lake/key?versionId=a;b",
    "/lake/a%zz",
    "/lake/key?x=%zz",
    "/lake/key#fragment",
    "http://other.example.org/lake//key",
]
ALTERED = {
    ("traefik", "/lake/%2f"): "/lake/%2F",
    ("traefik", "/lake/%2e%2e/b"): "/lake/../b",
    ("traefik", "/lake/lower%e2%82%ac"): "/lake/lower%E2%82%AC",
    ("traefik", "/lake/%7Etilde~"): "/lake/~tilde~",
    ("traefik", "/lake/a%25b%3Fc%23d%5ce"): "/lake/a%25b%3Fc%23d%5Ce",
    ("traefik", '/lake/[a]|^`{}"<>'): "/lake/%5Ba%5D%7C%5E%60%7B%7D%22%3C%3E",
    ("traefik", "/lake/key?versionId=a;b"): "/lake/key?versionId=a&b",
    ("caddy", '/lake/[a]|^`{}"<>'): "/lake/%5Ba%5D%7C%5E%60%7B%7D%22%3C%3E",
    ("caddy", "/lake/key#fragment"): "/lake/key%23fragment",
    **{(name, "http://other.example.org/lake//key"): "/lake//key" for name in PROXIES},
}
"""What a proxy makes of a target, where that is not what the client sent."""
REFUSED = {
    ("nginx", "/.daypass/authz"),
    ("nginx", "/lake/a%00b"),
    ("nginx", "/../b"),
    ("nginx", "/lake/a%zz"),
    ("caddy", "/lake/a%zz"),
    ("traefik", "/lake/a%zz"),
    ("traefik", "/lake/key#fragment"),
    *[(name, "/lake/key#fragment") for name in ENVOY],
}
"""What a proxy refuses itself: 400, and 404 for the address of nginx's own question, which no bucket can have."""


@pytest.mark.parametrize("target", TARGETS)
def test_the_target_that_is_asked_about_is_the_one_that_goes_on(setting: Setting, target: str) -> None:
    answer = setting.send("GET", target)
    if (setting.proxy.name, target) in REFUSED:
        assert answer.status == (404 if "/.daypass/" in target else 400)
        assert (setting.authz.asked, setting.backend.seen) == ([], [])
        return
    [asked], seen = setting.authz.asked, setting.went_on()
    assert asked.target == seen.target == ALTERED.get((setting.proxy.name, target), target)
    assert asked.host == seen.get("Host")


def test_what_was_presigned_goes_on_without_its_credential_where_daypass_says_so(setting: Setting) -> None:
    rest = "/lake//a%2Fb?response-content-type=a%20b&x-id=GetObject"
    setting.authz.allowed = lambda asked: {**ALLOWED, "X-Daypass-Uri": rest}
    presigned = f"{rest}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2Fb&X-Amz-Date=d&X-Amz-Expires=300"
    setting.send("GET", f"{presigned}&X-Amz-SignedHeaders=host&X-Amz-Security-Token=t%2F&X-Amz-Signature=0")
    seen = setting.went_on()
    path, _, query = seen.target.partition("?")
    assert setting.authz.asked[0].target.startswith(presigned)
    assert path == "/lake//a%2Fb"
    assert seen.get("X-Daypass-Uri") is None
    assert parse_qsl(query) == [("response-content-type", "a b"), ("x-id", "GetObject")]


def test_headers_that_came_twice_arrive_in_their_order(setting: Setting) -> None:
    setting.send("GET", "/lake/key", {"x-amz-meta-a": "two  words\r\nx-amz-meta-a: again"})
    for seen in (setting.authz.asked[0].seen, setting.went_on()):
        assert ",".join(seen.all("x-amz-meta-a")) == "two  words,again"


@pytest.mark.parametrize("name", ["x-amz-meta-under_score", "x-amz-meta-with.dot"])
def test_an_unusual_name_of_metadata_arrives_at_both_or_at_none(setting: Setting, name: str) -> None:
    setting.send("GET", "/lake/key", {name: "1"})
    # Caddy drops it unless its name is listed: the signature then does not verify.
    wanted = [] if setting.proxy.name == "caddy" else ["1"]
    assert setting.authz.asked[0].seen.all(name) == setting.went_on().all(name) == wanted


def test_an_object_that_was_stored_compressed_arrives_as_it_is(setting: Setting) -> None:
    packed = gzip.compress(b"text" * 100)
    setting.backend.reply = Answer(200, (("Content-Encoding", "gzip"),), packed)
    answer = setting.send("GET", "/lake/key")
    assert (answer.body, answer.headers["content-encoding"]) == (packed, "gzip")


def test_an_upload_reaches_the_backend_while_it_is_being_sent(setting: Setting) -> None:
    size = 4 * 1024 * 1024
    head = f"PUT /lake/key HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
    where = urlsplit(setting.proxy.url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=START_SECONDS) as connection:
        connection.sendall(head.encode() + bytes(size // 2))
        deadline = time.monotonic() + START_SECONDS
        while setting.backend.received < size // 4:
            assert time.monotonic() < deadline, "the proxy keeps the body until it is whole"
            time.sleep(0.005)
        connection.sendall(bytes(size // 2))
        assert connection.recv(15).startswith(b"HTTP/1.1 200")
    assert len(setting.went_on().body) == size


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_an_answer_that_is_no_permission_lets_nothing_through(setting: Setting, status: int) -> None:
    setting.authz.broken = Answer(status)
    assert setting.send("GET", "/lake/key").status >= 400
    assert setting.backend.seen == []


def test_where_nobody_answers_nothing_goes_through(rigs: Rigs, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        gone = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    for name in sorted(PROXIES):
        with (
            RecordingBackend() as backend,
            PROXIES[name](tmp_path, daypass=gone, upstream=backend.url, backend="lake", secret=SECRET) as proxy,
        ):
            assert exchange(proxy.url, "GET", "/lake/key", PLAIN).status in (500, 502, 503)
            assert backend.seen == []


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", sorted(PROXIES))
def test_a_signature_arrives_unbroken(rigs: Rigs, name: str, operation: str) -> None:
    """The backend verifies the client's own: a header, a path or a body that was altered on the way would show."""
    run, _ = OPERATIONS[operation]
    client, witness = rigs.through(name), rigs.juicefs().client()
    assert outcome(lambda: run(client, witness, f"by-{name}")) == expected("juicefs", "boto3", operation)


@pytest.mark.parametrize("key", AWKWARD_KEYS)
@pytest.mark.parametrize("name", sorted(PROXIES))
def test_an_awkward_key_arrives_unbroken(rigs: Rigs, name: str, key: str) -> None:
    client, witness = rigs.through(name), rigs.juicefs().client()
    ended = outcome(lambda: s3_suite.key_round_trip(client, witness, f"by-{name}", AWKWARD_KEYS[key]))
    assert ended == expected("juicefs", "boto3", f"key: {key}")


@pytest.mark.parametrize("name", sorted(PROXIES))
def test_a_large_upload_arrives_unbroken(rigs: Rigs, name: str, tmp_path: Path) -> None:
    client, witness = rigs.through(name), rigs.juicefs().client()
    assert outcome(lambda: s3_suite.multipart(client, witness, f"by-{name}", tmp_path)) == "done"


def test_restics_uploads_whose_chunks_are_signed_arrive_unbroken(rigs: Rigs, tmp_path: Path) -> None:
    there = rigs.juicefs()
    there.client().create_bucket(Bucket="by-restic")
    (tmp_path / "one").write_bytes(s3_suite.BODY * 50)
    with (
        FakeAuthz(SECRET) as authz,
        PROXIES["nginx"](tmp_path, daypass=authz.url, upstream=there.url, backend="lake", secret=SECRET) as proxy,
    ):
        authz.allowed = signed_by_the_client
        restic = Restic(tmp_path, endpoint=proxy.url, keys=there.keys, bucket="by-restic")
        for command in (["init"], ["backup", str(tmp_path / "one")]):
            ran = restic.run(*command)
            assert ran.code == 0, ran.error
        uploads = {asked.seen.get("X-Amz-Content-Sha256") for asked in authz.asked if asked.method == "PUT"}
    assert uploads == {SIGNED_CHUNKS}
