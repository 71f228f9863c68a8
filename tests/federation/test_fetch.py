# SPDX-License-Identifier: Apache-2.0
"""The outbound door, against a real server on this machine that misbehaves in every way."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from daypass.errors import ProviderError, Reason
from daypass.federation import Fetcher
from daypass.federation.fetch import MAX_ANSWER, _only
from fakes.oidc_provider import Answer, FakeOidcProvider

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


async def get(url: str, fetcher: Fetcher | None = None) -> bytes:
    fetcher = fetcher or Fetcher(allow_loopback_http=True, timeout=5)
    try:
        return await fetcher.get(url)
    finally:
        await fetcher.close()


async def refusal(url: str, fetcher: Fetcher | None = None) -> Reason:
    with pytest.raises(ProviderError) as caught:
        await get(url, fetcher)
    return caught.value.reason


def resolves_to(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


async def test_a_document_is_fetched_from_this_machine_where_that_is_allowed() -> None:
    async with FakeOidcProvider() as provider:
        provider.answers["/jwks"] = Answer(body=b'{"keys":[]}')
        provider.answers["/jwks?a=%2F&b"] = Answer(body=b"as it was asked")
        assert await get(provider.origin + "/jwks?a=%2F&b") == b"as it was asked"
        assert await get(provider.origin + "/jwks") == b'{"keys":[]}'


async def test_localhost_by_name_is_this_machine() -> None:
    async with FakeOidcProvider(host="localhost") as provider:
        provider.answers["/x"] = Answer(body=b"{}")
        assert await get(provider.origin + "/x") == b"{}"


async def test_the_request_carries_no_cookie_no_credentials_and_asks_for_no_compression(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with FakeOidcProvider() as provider:
        provider.answers["/x"] = Answer(headers={"Set-Cookie": "a=b"})
        fetcher = Fetcher(allow_loopback_http=True)
        for _ in range(2):
            await fetcher.get(provider.origin + "/x")
        await fetcher.close()
        for request in provider.requests:
            names = {line.split(b":")[0].lower() for line in request.split(b"\r\n")[1:] if line}
            assert names == {b"host", b"accept", b"accept-encoding", b"user-agent", b"connection"} - (
                set() if b"connection:" in request.lower() else {b"connection"}
            )
            assert b"accept-encoding: identity" in request.lower()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused_and_not_followed(status: int) -> None:  # J13
    async with FakeOidcProvider() as provider:
        for target in (provider.origin + "/other", "file:///etc/passwd", "http://169.254.169.254/"):
            provider.answers["/x"] = Answer(status=status, headers={"Location": target})
            assert await refusal(provider.origin + "/x") is Reason.PROVIDER_REDIRECTED
        assert set(provider.fetches) == {"/x"}


@pytest.mark.parametrize("status", [201, 204, 206, 400, 401, 403, 404, 410, 429, 500, 502, 503])
async def test_any_status_but_200_is_refused(status: int) -> None:
    async with FakeOidcProvider() as provider:
        provider.answers["/x"] = Answer(status=status, body=b"" if status == 204 else b"{}")
        assert await refusal(provider.origin + "/x") is Reason.PROVIDER_STATUS


async def test_an_answer_of_half_a_megabyte_is_read_and_one_octet_more_is_too_large() -> None:
    async with FakeOidcProvider() as provider:
        provider.answers["/fits"] = Answer(body=b" " * MAX_ANSWER)
        provider.answers["/large"] = Answer(body=b" " * (MAX_ANSWER + 1))
        provider.answers["/5mb"] = Answer(body=b" " * 5_000_000)
        assert len(await get(provider.origin + "/fits")) == MAX_ANSWER
        assert await refusal(provider.origin + "/large") is Reason.PROVIDER_ANSWER_TOO_LARGE
        assert await refusal(provider.origin + "/5mb") is Reason.PROVIDER_ANSWER_TOO_LARGE


async def test_an_answer_that_states_no_length_or_comes_in_chunks_is_counted_too() -> None:
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    async with FakeOidcProvider() as provider:
        provider.answers["/chunks"] = Answer(
            raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 17 + b"0\r\n\r\n"
        )
        provider.answers["/endless"] = Answer(
            raw=b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b" " * (MAX_ANSWER + 1)
        )
        assert await refusal(provider.origin + "/chunks") is Reason.PROVIDER_ANSWER_TOO_LARGE
        assert await refusal(provider.origin + "/endless") is Reason.PROVIDER_ANSWER_TOO_LARGE


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip", "x"])
async def test_a_compressed_answer_is_refused_unopened(encoding: str) -> None:
    async with FakeOidcProvider() as provider:
        provider.answers["/x"] = Answer(body=gzip.compress(b" " * 5_000_000), headers={"Content-Encoding": encoding})
        assert await refusal(provider.origin + "/x") is Reason.PROVIDER_ANSWER_ENCODED


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x00", b"HTTP/1.1", b"HTTP/1.1 200 OK\r\n", b"SSH-2.0-OpenSSH\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", b"HTTP/1.1 999999 OK\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}}"],
)  # fmt: skip
async def test_an_answer_that_is_no_http_is_refused(raw: bytes) -> None:
    async with FakeOidcProvider() as provider:
        provider.answers["/x"] = Answer(raw=raw)
        assert await refusal(provider.origin + "/x") is Reason.PROVIDER_UNREACHABLE


async def test_a_provider_that_hangs_or_drips_is_left_when_the_time_is_over() -> None:
    async with FakeOidcProvider() as provider:
        provider.answers["/hang"] = Answer(hang=True)
        provider.answers["/drip"] = Answer(body=b" " * 10_000, drip=True)
        for path in ("/hang", "/drip"):
            fetcher = Fetcher(allow_loopback_http=True, timeout=0.05)
            assert await refusal(provider.origin + path, fetcher) is Reason.PROVIDER_TIMEOUT


async def test_closing_ends_a_fetch_that_is_under_way() -> None:
    async with FakeOidcProvider() as provider:
        provider.answers["/hang"] = Answer(hang=True)
        fetcher = Fetcher(allow_loopback_http=True)
        under_way = asyncio.ensure_future(fetcher.get(provider.origin + "/hang"))
        await provider.asked_for("/hang")
        await fetcher.close()
        async with asyncio.timeout(1):
            with pytest.raises(ProviderError) as caught:
                await under_way
        assert caught.value.reason is Reason.PROVIDER_UNREACHABLE


async def test_looking_up_the_name_is_within_the_time_too() -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    assert await refusal("https://idp.example.org/", Fetcher(resolve=never, timeout=0.05)) is Reason.PROVIDER_TIMEOUT


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        assert await refusal(f"http://127.0.0.1:{held.getsockname()[1]}/") is Reason.PROVIDER_UNREACHABLE


async def test_a_name_that_is_not_found_is_unreachable_and_one_without_addresses_is_refused() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    assert await refusal("https://idp.example.org/", Fetcher(resolve=unknown)) is Reason.PROVIDER_UNREACHABLE
    assert await refusal("https://idp.example.org/", Fetcher(resolve=resolves_to())) is Reason.PROVIDER_ADDRESS_REFUSED


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org", "gopher://example.org", "data:,{}", "http://example.org/", "https://u:p@example.org/",
     "https://example.org/#x", "//example.org", "", "https://", "javascript:0", "unix:///run/docker.sock", "https://ex\nample.org",
     "http://idp.localhost/", "http://localhost./", "http://localhost.example.org/"],
)  # fmt: skip
async def test_a_url_of_another_scheme_or_form_is_never_asked(url: str) -> None:  # J13
    assert await refusal(url) is Reason.PROVIDER_URL_REFUSED


async def test_plain_http_to_this_machine_is_not_asked_unless_it_is_allowed() -> None:
    async with FakeOidcProvider() as provider:
        assert await refusal(provider.origin + "/x", Fetcher()) is Reason.PROVIDER_URL_REFUSED
        assert provider.fetches == []


# J13: the ways to write an address that is not of the public internet.
HOSTS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "0.0.0.0", "0",
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[fe80::1%25eth0]", "[fe80::1]", "[fd00:ec2::254]", "[2002:7f00:1::]",
    "[64:ff9b::7f00:1]",
    "localhost", "localhost.", "LOCALHOST", "127.0.0.1.", "①②⑦.⓪.⓪.①", "127。0。0。1", "[::ffff:169.254.169.254]",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
async def test_https_to_an_address_of_this_machine_or_network_is_refused_however_it_is_written(
    host: str,
) -> None:  # J13
    # A port that listens, so that a connection would be seen; the flag for plain http opens nothing for https.
    async with FakeOidcProvider() as provider:
        reason = await refusal(f"https://{host}:{provider.port}/x", Fetcher(allow_loopback_http=True))
        assert reason in {Reason.PROVIDER_URL_REFUSED, Reason.PROVIDER_ADDRESS_REFUSED}
        assert provider.fetches == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "169.254.169.254",
        "fd00:ec2::254",
        "::ffff:127.0.0.1",
        "fe80::1%1",
        "0.0.0.0",
        "64:ff9b::7f00:1",
        "nonsense",
        "",
    ],
)
async def test_a_name_that_resolves_to_an_address_of_this_machine_or_network_is_refused(address: str) -> None:  # J13
    fetcher = Fetcher(resolve=resolves_to(address), allow_loopback_http=True)
    assert await refusal("https://idp.example.org/", fetcher) is Reason.PROVIDER_ADDRESS_REFUSED


async def test_localhost_that_resolves_elsewhere_is_refused() -> None:
    fetcher = Fetcher(resolve=resolves_to("8.8.8.8"), allow_loopback_http=True)
    assert await refusal("http://localhost/", fetcher) is Reason.PROVIDER_ADDRESS_REFUSED


def test_a_socket_is_made_for_a_checked_address_and_for_no_other() -> None:  # J13, rebinding
    make = _only(["127.0.0.1"])
    info = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 80))
    make(info).close()
    with pytest.raises(ProviderError) as caught:
        make((*info[:4], ("127.0.0.2", 80)))
    assert caught.value.reason is Reason.PROVIDER_ADDRESS_REFUSED


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for idp.example.org, and a client's that trusts it."""
    directory: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example.org")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=365 * 60))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("idp.example.org")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (directory / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (directory / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    return server, ssl.create_default_context(cafile=str(directory / "cert.pem"))


async def test_the_checked_address_is_connected_to_with_the_certificate_of_the_name(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    asked: list[str] = []

    async def once(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["10.9.9.9", "127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    async with FakeOidcProvider("idp.example.org", ssl_context=contexts[0]) as provider:
        provider.answers["/x"] = Answer(body=b"by name")
        fetcher = Fetcher(allowed_networks=LOOPBACK, ssl_context=contexts[1], resolve=once)
        assert await get(provider.origin + "/x", fetcher) == b"by name"
        assert asked == ["idp.example.org"]
        assert f"host: idp.example.org:{provider.port}".encode() in provider.requests[0].lower()


async def test_a_certificate_of_another_name_or_of_nobody_is_refused(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async with FakeOidcProvider("other.example.org", ssl_context=contexts[0]) as provider:
        for url, trusted in ((provider.origin, contexts[1]), (provider.origin.replace("other", "idp"), None)):
            fetcher = Fetcher(allowed_networks=LOOPBACK, ssl_context=trusted, resolve=resolves_to("127.0.0.1"))
            assert await refusal(url + "/x", fetcher) is Reason.PROVIDER_CERTIFICATE_INVALID
        assert provider.fetches == []


async def test_a_server_without_tls_is_not_an_https_server() -> None:
    async with FakeOidcProvider() as provider:
        fetcher = Fetcher(allowed_networks=LOOPBACK, resolve=resolves_to("127.0.0.1"), timeout=0.5)
        reason = await refusal(f"https://idp.example.org:{provider.port}/x", fetcher)
        assert reason in {Reason.PROVIDER_CERTIFICATE_INVALID, Reason.PROVIDER_UNREACHABLE, Reason.PROVIDER_TIMEOUT}
        assert provider.fetches == []


async def test_no_refusal_quotes_the_url() -> None:
    for url in ("https://secret.example.org.:1/x", "http://secret.example.org/", "https://127.0.0.1/secret"):
        with pytest.raises(ProviderError) as caught:
            await get(url)
        assert "secret" not in str(caught.value)
