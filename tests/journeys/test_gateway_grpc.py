# SPDX-License-Identifier: Apache-2.0
"""
Envoy's two ways to ask, over HTTP and over gRPC, byte for byte: what is asked in one way is answered as in the other, and
nothing that a client can say gets anybody in.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from envoy.config.core.v3.base_pb2 import HeaderValue
from envoy.service.auth.v3.attribute_context_pb2 import AttributeContext
from envoy.service.auth.v3.external_auth_pb2 import CheckResponse

from daypass.gateway.ext_authz_listener import MESSAGE_BYTES
from fakes.ext_authz import CHECK
from journeys.enforcement import SECRET
from journeys.ext_authz import CLIENT, SHOWN, Stage, configuration, question, verdict
from journeys.gateway import ACCOUNT, LAKE, Sent, presigned, signed, user_keys
from journeys.test_audit_trail import record_of
from running import Keys, Server, get, running_server

UNDECIDABLE = "NotImplemented"
METADATA = (("x-amz-meta-a", "1"), ("x-amz-meta-a", "2"))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, _no_aws_configuration: None) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("grpc")
    with running_server(folder / "server", config=configuration(folder)) as server:
        keys = user_keys(server, "asker", "s3:*")
        secret = {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/secret*"}
        server.client("iam", server.root()).put_user_policy(
            UserName="asker", PolicyName="no", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": secret})
        )
        with grpc.insecure_channel(server.announced["ext_authz"]) as channel:
            yield Stage(server, keys, channel)
        assert server.alarms() == []


def plain(keys: Keys, target: str = "/bucket/key", **options: Any) -> Sent:
    return signed(keys, options.pop("method", "GET"), target, host=LAKE, **options)


def twice(name: str, value: str | None = None) -> Callable[[Keys], Sent]:
    def make(keys: Keys) -> Sent:
        sent = plain(keys)
        return sent.plus((name, sent.value(name) if value is None else value))

    return make


def merged(keys: Keys) -> Sent:
    """As Envoy hands on two Authorization headers: it makes one of them."""
    sent = plain(keys)
    both = f"{sent.value('authorization')},{sent.value('authorization')}"
    return sent.without("authorization").plus(("authorization", both))


def altered(target: str, sent_as: str) -> Callable[[Keys], Sent]:
    """Signed as its canonical form, sent in another that means the same to a verifier."""
    return lambda keys: replace(plain(keys, target), target=sent_as)


def with_signed_length(keys: Keys) -> Sent:
    """As the SDKs for JavaScript and Go upload."""
    sent = plain(keys, method="PUT", body=b"12345", headers={"content-length": "5"})
    return replace(sent, headers=tuple(dict(sent.headers).items()))


ASKED: dict[str, tuple[Callable[[Keys], Sent], str]] = {
    "a request as it should be": (plain, ""),
    "a presigned one": (lambda keys: presigned(keys, "GET", "/bucket/key"), ""),
    "an upload": (lambda keys: plain(keys, method="PUT", body=b"12345"), ""),
    "an upload whose length is signed": (with_signed_length, ""),
    "nobody's": (lambda keys: plain(keys).without("authorization"), "AccessDenied"),
    "one that is forbidden": (lambda keys: plain(keys, "/bucket/secret"), "AccessDenied"),
    "another path than was signed": (altered("/bucket/key", "/bucket/k"), "SignatureDoesNotMatch"),
    "another method": (lambda keys: replace(plain(keys), method="DELETE"), "SignatureDoesNotMatch"),
    "another host": (lambda keys: plain(keys).without("host").plus(("host", "x")), "SignatureDoesNotMatch"),
    "two Authorization headers": (twice("authorization"), "AuthorizationHeaderMalformed"),
    "an Authorization header twice in one": (merged, "AuthorizationHeaderMalformed"),
    "two dates": (twice("x-amz-date"), "SignatureDoesNotMatch"),
    "two digests": (twice("x-amz-content-sha256"), "SignatureDoesNotMatch"),
    "a header of AWS that was not signed": (twice("x-amz-acl", "public-read"), "AccessDenied"),
    "a header twice that was signed once": (
        lambda keys: plain(keys, headers={"x-amz-meta-a": "one"}).plus(("x-amz-meta-a", "two")),
        "SignatureDoesNotMatch",
    ),
    "a header twice that was signed as one": (
        lambda keys: plain(keys, headers={"x-amz-meta-a": "1,2"}).without("x-amz-meta-a").plus(*METADATA),
        "SignatureDoesNotMatch",
    ),
    "an empty header": (lambda keys: plain(keys, headers={"x-amz-meta-a": ""}), ""),
    "a header that is not UTF-8": (lambda keys: plain(keys, headers={"x-amz-meta-a": "\xff"}), ""),
    "a slash in a key": (lambda keys: plain(keys, "/bucket/a%2Fb"), ""),
    "an empty segment": (lambda keys: plain(keys, "/bucket//a"), ""),
    "an empty bucket": (lambda keys: plain(keys, "//bucket/secret"), "InvalidRequest"),
    "dots": (lambda keys: plain(keys, "/bucket/a/../secret"), "InvalidURI"),
    "escaped dots": (altered("/bucket/a/../secret", "/bucket/a/%2e%2e/secret"), "InvalidURI"),
    "dots and a semicolon": (altered("/bucket/..%3B/secret", "/bucket/..;/secret"), "BadRequestException"),
    "a semicolon in the query": (altered("/bucket/key?versionId=a%3Bb", "/bucket/key?versionId=a;b"), "InvalidRequest"),
    "a parameter that nobody knows": (lambda keys: plain(keys, "/bucket/key?what="), "InvalidArgument"),
    "a target told in another way too": (twice("x-original-uri", "/bucket/public"), "BadRequestException"),
    "and in a third": (twice("x-forwarded-uri", "/bucket/public"), "BadRequestException"),
    "too many headers": (lambda keys: plain(keys).plus(*[("x-a", "")] * 140), "RequestTooLargeException"),
    "a deletion of many": (lambda keys: plain(keys, "/bucket?delete=", method="POST", body=b"<Delete/>"), UNDECIDABLE),
    "a GET with a body": (lambda keys: plain(keys, body=b"12345"), "InvalidRequest"),
}


@pytest.mark.parametrize("case", ASKED)
def test_what_is_asked_in_one_way_is_answered_as_in_the_other(stage: Stage, case: str) -> None:
    make, code = ASKED[case]
    sent = make(stage.keys)
    over_grpc, over_http = stage.grpc(sent), stage.http(sent)
    assert over_grpc.code == over_http.code == code
    # Over HTTP Envoy takes 501 for a failure of ours.
    assert over_http.status == (400 if code == UNDECIDABLE else over_grpc.status)


@pytest.mark.parametrize("size", [60_000, 70_000])
def test_headers_are_bounded_as_over_http(stage: Stage, size: int) -> None:
    answer = stage.grpc(plain(stage.keys).plus(("x-a", "a" * size)))
    assert answer.code == ("" if size < 65_000 else "RequestTooLargeException")


OTHERWISE: dict[str, tuple[Sequence[tuple[str, str]], str]] = {
    "no secret": ((), "AccessDeniedException"),
    "an empty one": ((("x-daypass-proxy", ""),), "AccessDeniedException"),
    "a wrong one": ((("x-daypass-proxy", SECRET + "x"),), "AccessDeniedException"),
    "the beginning of it": ((("x-daypass-proxy", SECRET[:-1]),), "AccessDeniedException"),
    "two": ((("x-daypass-proxy", SECRET), ("x-daypass-proxy", SECRET)), "AccessDeniedException"),
    "a wrong one before it": ((("x-daypass-proxy", "x"), ("x-daypass-proxy", SECRET)), "AccessDeniedException"),
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_who_does_not_show_the_secret_once_is_told_nothing(stage: Stage, case: str) -> None:
    metadata, code = OTHERWISE[case]
    for sent in (plain(stage.keys), plain(stage.keys).plus(("x-daypass-proxy", SECRET))):
        answer = stage.grpc(sent, metadata=metadata)
        assert (answer.status, answer.code) == (403, code)


@pytest.mark.parametrize(
    "backend", ["", "http", "nobody", "grpc/bucket", "grpc?", "GRPC", "../grpc", "grpc%00", "\u00fc"]
)
def test_a_backend_that_envoy_may_not_ask_for_over_grpc_is_refused(stage: Stage, backend: str) -> None:
    sent = plain(stage.keys).plus(("daypass-backend", "grpc"), ("x-daypass-backend", "grpc"))
    answer = stage.grpc(sent, backend=backend)
    assert answer.code in ("NotFoundException", "BadRequestException")


def test_a_backend_that_is_asked_for_over_grpc_is_not_there_over_http(stage: Stage) -> None:
    sent = plain(stage.keys)
    assert stage.grpc(sent).code == ""
    assert stage.http(sent, backend="grpc").code == "NotFoundException"


Edit = Callable[[AttributeContext.HttpRequest], object]
ILL_TOLD: dict[str, Edit] = {
    "no headers one by one": lambda http: http.header_map.Clear(),
    "headers that were merged": lambda http: (
        http.headers.update({one.key: one.raw_value.decode() for one in http.header_map.headers}),
        http.header_map.Clear(),
    ),
    "two targets": lambda http: http.header_map.headers.add(key=":path", raw_value=b"/bucket/public"),
    "two methods": lambda http: http.header_map.headers.add(key=":METHOD", raw_value=b"GET"),
    "two hosts": lambda http: http.header_map.headers.add(key=":authority", raw_value=LAKE.encode()),
    "a host beside the authority": lambda http: http.header_map.headers.add(key="host", raw_value=LAKE.encode()),
    "no target": lambda http: http.header_map.headers.remove(found(http, ":path")),
    "an empty target": lambda http: setattr(found(http, ":path"), "raw_value", b""),
    "an asterisk": lambda http: setattr(found(http, ":path"), "raw_value", b"*"),
    "a whole URL": lambda http: setattr(found(http, ":path"), "raw_value", b"http://lake.example/bucket/key"),
    "a fragment": lambda http: setattr(found(http, ":path"), "raw_value", b"/bucket/key#a"),
    "bytes": lambda http: setattr(found(http, ":path"), "raw_value", b"/bucket/\xff"),
    "text where bytes are expected": lambda http: found(http, ":path").CopyFrom(
        HeaderValue(key=":path", value="/bucket/key")
    ),
    "no host": lambda http: http.header_map.headers.remove(found(http, ":authority")),
    "an Authorization header of another case": lambda http: http.header_map.headers.add(
        key="Authorization", raw_value=found(http, "authorization").raw_value
    ),
    "two lengths": lambda http: [http.header_map.headers.add(key="content-length", raw_value=b"0") for _ in "12"],
    "a length and chunks": lambda http: [
        http.header_map.headers.add(key="content-length", raw_value=b"0"),
        http.header_map.headers.add(key="transfer-encoding", raw_value=b"chunked"),
    ],
    "a length that is none": lambda http: http.header_map.headers.add(key="content-length", raw_value=b"5,5"),
    "an address of the client's": lambda http: http.header_map.headers.add(key="x-original-address", raw_value=b"::1"),
}


def found(http: AttributeContext.HttpRequest, key: str) -> Any:
    [one] = [header for header in http.header_map.headers if header.key == key]
    return one


@pytest.mark.parametrize("case", ILL_TOLD)
def test_a_question_that_does_not_tell_one_request_in_one_way_is_refused(stage: Stage, case: str) -> None:
    asked = question(plain(stage.keys))
    ILL_TOLD[case](asked.attributes.request.http)
    answer = stage.ask(asked.SerializeToString())
    assert (answer.status, answer.code) in [(400, "BadRequestException"), (400, "AuthorizationHeaderMalformed")]


def test_without_an_address_of_the_client_nothing_is_decided(stage: Stage) -> None:
    asked = question(plain(stage.keys))
    asked.attributes.source.Clear()
    assert stage.ask(asked.SerializeToString()).code == "BadRequestException"


@pytest.mark.parametrize("message", [b"", b"\xff", b"\x0a\xff\xff\xff\xff\x0f", b"a" * 1000])
def test_what_is_no_question_is_refused(stage: Stage, message: bytes) -> None:
    assert stage.ask(message).code == "BadRequestException"


def test_a_question_that_is_too_long_is_not_read_and_no_other_call_is_there(stage: Stage) -> None:
    for name, message in ((CHECK, b"a" * (MESSAGE_BYTES + 1)), (CHECK + "s", b"")):
        with pytest.raises(grpc.RpcError) as failed:
            stage.channel.unary_unary(name)(message, metadata=SHOWN, timeout=20)
        assert failed.value.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNIMPLEMENTED)
    assert stage.grpc(plain(stage.keys)).code == ""


def test_what_is_allowed_is_signed_for_the_backend_and_loses_its_token(stage: Stage) -> None:
    answer = stage.grpc(plain(stage.keys))
    assert answer.removed == ["x-amz-security-token"]
    assert answer.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=backend/")
    assert answer.headers["x-daypass-access-key-id"] == stage.keys.access_key_id
    assert answer.headers["x-daypass-principal"] == f"arn:aws:iam::{ACCOUNT}:user/asker"
    assert "content-length" not in answer.headers


def test_for_a_backend_that_is_not_signed_for_the_callers_signature_is_taken_out(stage: Stage) -> None:
    answer = stage.grpc(plain(stage.keys), backend="unsigned")
    assert answer.removed == ["x-amz-security-token", "authorization"]
    assert set(answer.headers) & {"authorization", "x-amz-security-token"} == set()


def test_what_a_client_says_in_our_name_is_replaced_or_taken_out(stage: Stage) -> None:
    names = ("X-Daypass-Principal", "x-daypass-source-identity", "x-daypass-source-identity", "x-daypass-uri")
    answer = stage.grpc(plain(stage.keys).plus(*((name, "forged") for name in names)))
    assert answer.headers["x-daypass-principal"] == f"arn:aws:iam::{ACCOUNT}:user/asker"
    assert answer.removed == ["x-amz-security-token", "x-daypass-source-identity", "x-daypass-uri"]


@pytest.mark.parametrize("backend", ["grpc", "unsigned"])
def test_a_presigned_request_goes_on_without_its_credential(stage: Stage, backend: str) -> None:
    sent = presigned(stage.keys, "GET", "/bucket//a%2Fb")
    assert stage.grpc(sent, backend=backend).headers[":path"] == "/bucket//a%2Fb"
    assert ":path" not in stage.grpc(plain(stage.keys), backend=backend).headers


def test_a_denial_of_head_has_no_body(stage: Stage) -> None:
    asked = question(plain(stage.keys, "/bucket/secret", method="HEAD"))
    answer = CheckResponse.FromString(
        stage.channel.unary_unary(CHECK)(asked.SerializeToString(), metadata=SHOWN, timeout=20)
    )
    assert (answer.denied_response.status.code, answer.denied_response.body) == (403, "")


def test_what_was_asked_is_in_the_trail_and_counted(stage: Stage) -> None:
    answer = stage.grpc(plain(stage.keys, "/bucket/secret/recorded"))
    record = record_of(stage.server, answer.headers["x-amz-request-id"])
    assert (record["eventName"], record["errorCode"]) == ("GetObject", "AccessDenied")
    assert (record["sourceIPAddress"], record["additionalEventData"]["backend"]) == (CLIENT, "grpc")
    text = get(stage.server.health.replace("/readyz", "/metrics"))[1].decode()
    assert re.search(r'daypass_gateway_requests_total\{.*backend="grpc".*AccessDenied', text)


def test_the_secret_is_in_no_line_of_the_log(stage: Stage) -> None:
    stage.grpc(plain(stage.keys), metadata=(("x-daypass-proxy", "guessed"),))
    assert SECRET not in stage.server.log()
    assert "guessed" not in stage.server.log()


@pytest.mark.parametrize("workers", [1, 2])
def test_it_ends_in_order_while_envoy_is_connected(tmp_path: Path, workers: int) -> None:
    with running_server(tmp_path / "server", config=configuration(tmp_path), workers=workers) as server:
        port = int(str(server.announced["ext_authz"]).rpartition(":")[2])
        with grpc.insecure_channel(server.announced["ext_authz"]) as channel:
            grpc.channel_ready_future(channel).result(timeout=20)
            deadline = time.monotonic() + 20
            while len(listening(port)) < workers:
                assert time.monotonic() < deadline, "not every worker listens"
                time.sleep(0.01)
            assert verdict(channel.unary_unary(CHECK)(b"", metadata=SHOWN, timeout=20)).status == 400
            assert server.stop() == 0
        assert server.alarms() == []


def listening(port: int) -> list[str]:
    """The sockets that listen on a port of this machine."""
    lines = Path("/proc/net/tcp").read_text().splitlines() + Path("/proc/net/tcp6").read_text().splitlines()
    return [line for line in lines if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"]


def test_it_does_not_start_where_somebody_else_listens(stage: Stage, tmp_path: Path) -> None:
    file = configuration(tmp_path)
    taken = str(stage.server.announced["ext_authz"])
    file.write_text(re.sub(r"127\.0\.0\.1:[0-9]{4,5}", taken, file.read_text()), encoding="ascii")
    with pytest.raises(AssertionError, match=r"gateway\.ext_authz: cannot listen on"):
        Server(tmp_path / "server", config=file).start()
