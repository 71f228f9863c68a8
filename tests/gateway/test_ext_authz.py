# SPDX-License-Identifier: Apache-2.0
"""Envoy's question over gRPC is the client's request byte for byte, and only an answer of 200 lets it go on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import pytest
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from hypothesis import given
from hypothesis import strategies as st

from daypass.doorway.received import Scope
from daypass.errors import Reason, RequestError
from daypass.gateway.actions.execute_api import ExecuteApiActions
from daypass.gateway.backends import Backend, Proxy, Upstream
from daypass.gateway.denials import HTTP_FORM
from daypass.gateway.ext_authz import ExtAuthzDoor, Headers, Metadata, read_question, written_answer
from daypass.gateway.incoming import Head
from daypass.gateway.original import original_request

PROXY = Backend(
    *("lake", "s3", ExecuteApiActions("prod", "api"), lambda _raw: HTTP_FORM),
    *(Upstream("http", "127.0.0.1", 9000), "us-east-1", "1" * 12),
    proxy="envoy-grpc",
)
TARGETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#;"), max_size=40)
NAMES = st.text("abcxyz-_.", min_size=1, max_size=12).map(lambda name: f"x-amz-meta-{name}".encode())
HEADERS = st.lists(st.tuples(NAMES, st.binary(max_size=12)), max_size=8)


def asked(target: bytes, headers: Headers = (), method: bytes = b"GET") -> bytes:
    request = CheckRequest()
    request.attributes.context_extensions["daypass-backend"] = "lake"
    request.attributes.source.address.socket_address.address = "2001:db8::1"
    told = [(b":method", method), (b":path", target), (b":authority", b"s3.example"), *headers]
    for key, value in told:
        request.attributes.request.http.header_map.headers.add(key=key.decode(), raw_value=value)
    message: bytes = request.SerializeToString()
    return message


def head(message: bytes) -> Head:
    return original_request(read_question(message), PROXY, lambda: 0.0, ())


@given(TARGETS, HEADERS)
def test_target_and_headers_are_those_that_envoy_has(target: str, headers: Headers) -> None:
    raw = head(asked(b"/" + target.encode(), headers)).raw
    path, _, query = (b"/" + target.encode()).partition(b"?")
    assert (raw.method, raw.path, raw.query) == ("GET", path, query)
    assert list(raw.headers) == [*headers, (b"host", b"s3.example")]


def test_the_address_is_envoys_word_whatever_the_client_says() -> None:
    said = (b"x-forwarded-for", b"198.51.100.7"), (b"x-envoy-external-address", b"198.51.100.7")
    assert head(asked(b"/", said)).facts.source_ip == "2001:db8::1"


@pytest.mark.parametrize(("scheme", "secure"), [(b"https", True), (b"http", False)])
def test_whether_it_came_over_tls_is_told_by_envoy(scheme: bytes, secure: bool) -> None:
    assert head(asked(b"/", [(b"x-forwarded-proto", scheme)])).facts.secure is secure


LENGTHS = [
    ([(b"content-length", b"5")], b"PUT", 5),
    ([(b"content-length", b"0")], b"PUT", 0),
    ([(b"transfer-encoding", b"chunked")], b"PUT", None),
    ([], b"PUT", None),  # Envoy does not tell of chunks
    ([], b"GET", 0),
]


@pytest.mark.parametrize(("headers", "method", "length"), LENGTHS)
def test_the_length_of_the_body_is_the_clients(headers: Headers, method: bytes, length: int | None) -> None:
    found = head(asked(b"/", headers, method))
    assert found.length == length
    assert [value for name, value in found.raw.headers if name == b"content-length"] == [
        value for name, value in headers if name == b"content-length"
    ]


def test_headers_in_our_name_are_not_of_the_request() -> None:
    assert [name for name, _ in head(asked(b"/", [(b"x-daypass-principal", b"forged")])).raw.headers] == [b"host"]


def test_a_body_that_envoy_has_buffered_is_not_read() -> None:
    request = CheckRequest.FromString(asked(b"/", [(b"content-length", b"5")], b"POST"))
    request.attributes.request.http.raw_body = b"other bytes"
    request.attributes.request.http.size = 11
    assert head(request.SerializeToString()).length == 5


@pytest.mark.parametrize("key", ["daypass-backend", "DAYPASS-BACKEND", "x-daypass-backend"])
def test_no_header_names_the_backend(key: str) -> None:
    request = CheckRequest.FromString(asked(b"/key", [(key.encode(), b"lake")]))
    request.attributes.context_extensions.clear()
    assert read_question(request.SerializeToString())["raw_path"] == b"/authz//key"


@pytest.mark.parametrize("missing", [":method", ":path", ":authority"])
def test_what_is_not_told_is_not_made_up(missing: str) -> None:
    request = CheckRequest.FromString(asked(b"/key"))
    http = request.attributes.request.http
    http.method, http.path, http.host = "GET", "/key", "s3.example"
    kept = [header for header in http.header_map.headers if header.key != missing]
    del http.header_map.headers[:]
    http.header_map.headers.extend(kept)
    with pytest.raises(RequestError) as refused:
        read_question(request.SerializeToString())
    assert refused.value.reason is Reason.PROXY_QUESTION_AMBIGUOUS


@pytest.mark.parametrize("status", [0, 100, 199, 201, 204, 301, 400, 403, 404, 500, 501, 503])
def test_every_status_but_200_is_a_denial(status: int) -> None:
    response = CheckResponse.FromString(written_answer(status, [(b"authorization", b"x")], b"no"))
    assert response.WhichOneof("http_response") == "denied_response"
    assert (response.status.code, response.denied_response.status.code) == (7, status)


def test_a_denial_has_the_bytes_of_the_document_and_no_length_of_ours() -> None:
    body = "<Message>für \u20ac</Message>".encode()
    headers = [(b"content-type", b"application/xml"), (b"content-length", b"99")]
    denied = CheckResponse.FromString(written_answer(403, headers, body)).denied_response
    assert denied.body.encode() == body
    assert [(one.header.key, one.header.value) for one in denied.headers] == [("content-type", "application/xml")]


def test_what_is_set_replaces_what_the_client_sent() -> None:
    allowed = CheckResponse.FromString(written_answer(200, [(b"authorization", b"ours")], b"")).ok_response
    [option] = allowed.headers
    assert option.append_action == option.OVERWRITE_IF_EXISTS_OR_ADD


class Answering:
    """A door for which only ``known`` is the secret; it reads the question and answers 200."""

    def __init__(self) -> None:
        self.seen: list[tuple[object, object]] = []

    async def answer(
        self, shown: Sequence[bytes], question: Callable[[], Scope], proxies: Collection[Proxy]
    ) -> tuple[int, Headers, bytes]:
        """As ``ForwardAuthDoor.answer``."""
        self.seen.append((shown, proxies))
        question()
        return 200, [(b"x-daypass-account", b"1")], b""

    def knows(self, shown: Sequence[bytes]) -> bool:
        """As ``ForwardAuthDoor.knows``."""
        return shown == [b"known"]


SHOWN: list[tuple[str, str | bytes]] = [("x-daypass-proxy", "known")]


async def test_a_secret_among_the_clients_headers_is_no_secret_of_envoys() -> None:
    message = asked(b"/", [(b"x-daypass-proxy", b"the secret")])
    metadata: Metadata = [("x-other", "1"), ("x-daypass-proxy", "shown"), ("x-daypass-proxy", b"\xff")]
    door = Answering()
    await ExtAuthzDoor(door.answer, door.knows).check(metadata, message)
    assert door.seen == [([b"shown", b"\xff"], ("envoy-grpc",))]


@pytest.mark.parametrize(
    ("metadata", "known"), [(SHOWN, True), ([], False), (SHOWN * 2, False), ([("x-daypass-proxy", b"known")], True)]
)
def test_a_call_is_known_by_its_metadata_alone(metadata: Metadata, known: bool) -> None:
    door = Answering()
    assert ExtAuthzDoor(door.answer, door.knows).knows(metadata) is known


@pytest.mark.parametrize(
    "name", ["x-daypass-principal", "x-daypass_principal", "x_daypass_principal", "x.daypass.principal"]
)
async def test_a_name_that_some_backends_take_for_ours_is_taken_out(name: str) -> None:
    door = Answering()
    answered = await ExtAuthzDoor(door.answer, door.knows).check(SHOWN, asked(b"/", [(name.encode(), b"forged")]))
    assert list(CheckResponse.FromString(answered).ok_response.headers_to_remove) == [name]


async def test_what_we_set_is_not_taken_out_however_a_client_names_it() -> None:
    door, said = Answering(), [(b"x-daypass-account", b"forged"), (b"x-amz-meta-a", b"1"), (b"x-day-pass-a", b"1")]
    answered = await ExtAuthzDoor(door.answer, door.knows).check(SHOWN, asked(b"/", said))
    assert list(CheckResponse.FromString(answered).ok_response.headers_to_remove) == []


@pytest.mark.parametrize("method", [b"", b"G\xc9T", b"GET /other", b"GET\t", b"G(T", b"G" * 33])
def test_a_method_that_is_no_token_is_refused(method: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        read_question(asked(b"/", method=method))
    assert refused.value.reason is Reason.PROXY_QUESTION_AMBIGUOUS


@pytest.mark.parametrize("method", ["GET", "get", "BASELINE-CONTROL", "M-SEARCH", "!#$%&'*+.^_`|~"])
def test_a_method_that_is_a_token_is_as_it_came(method: str) -> None:
    assert read_question(asked(b"/", method=method.encode()))["method"] == method


@pytest.mark.parametrize("name", [b"x-original-content-length", b"X-Original-Content-Length", b"x-original-address"])
def test_what_envoy_tells_is_not_taken_from_a_client(name: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        read_question(asked(b"/", [(name, b"0")], b"PUT"))
    assert refused.value.reason is Reason.PROXY_QUESTION_AMBIGUOUS
