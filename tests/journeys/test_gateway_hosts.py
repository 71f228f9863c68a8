# SPDX-License-Identifier: Apache-2.0
"""
Hosts that name a bucket, behind each proxy and a real store. A proxy sends the host on as it came, and the store may look for
the bucket in it or not: whatever is decided must be about the bucket that the store then opens.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from journeys.enforcement import SECRET
from journeys.gateway import ACCOUNT, signed, user_keys
from real.processes import free_port
from real.proxies import PROXIES
from real.s3_backends import REGION, juicefs_gateway
from real.s3_wire import WireAnswer, exchange
from running import Keys, running_server

MINE = {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::mine", "arn:aws:s3:::mine/*"]}
REFUSED = (400, 403, 404)


@dataclass(frozen=True)
class Doors:
    """Proxies before a store with two buckets, and keys for one of them, ``mine``."""

    urls: dict[str, str]
    keys: Keys

    def get(self, proxy: str, host: str, path: str) -> WireAnswer:
        """A download from this host, as the client names it."""
        sent = signed(self.keys, "GET", path, host=host)
        return exchange(self.urls[proxy], "GET", sent.target, dict(sent.headers))


@pytest.fixture(scope="module", params=[False, True], ids=["from the path", "from the host too"])
def virtual_hosted(request: pytest.FixtureRequest) -> bool:
    """Whether the store takes buckets from the host."""
    return bool(request.param)


@pytest.fixture(scope="module")
def doors(
    virtual_hosted: bool, tmp_path_factory: pytest.TempPathFactory, _no_aws_configuration: None
) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("hosts")
    with ExitStack() as stack:
        domains = [f"{name}.example" for name in PROXIES] if virtual_hosted else []
        store = stack.enter_context(juicefs_gateway(folder, *domains))
        witness = store.client()
        for bucket in ("mine", "other"):
            witness.create_bucket(Bucket=bucket)
        witness.put_object(Bucket="other", Key="secret", Body=b"not for you")
        witness.put_object(Bucket="mine", Key="other/secret", Body=b"my own")
        configuration = _configuration(folder, store.url, store.keys, virtual_hosted=virtual_hosted)
        server = stack.enter_context(running_server(folder / "server", config=configuration))
        keys = user_keys(server, "mine", "s3:*")
        policy = json.dumps({"Version": "2012-10-17", "Statement": MINE})
        server.client("iam", server.root()).put_user_policy(UserName="mine", PolicyName="main", PolicyDocument=policy)
        urls = {}
        for name, start in PROXIES.items():
            asked = f"http://{server.announced['ext_authz']}" if name == "envoy-grpc" else server.url
            proxy = start(folder / name, daypass=asked, upstream=store.url, backend=name, secret=SECRET)
            urls[name] = stack.enter_context(proxy).url
        yield Doors(urls, keys)
        assert server.alarms() == []


def _configuration(folder: Path, url: str, keys: Keys, *, virtual_hosted: bool) -> Path:
    for name, text in {"proxy": SECRET, "store": keys.secret_access_key}.items():
        (folder / name).write_text(text, encoding="ascii")
        (folder / name).chmod(0o600)
    sign_as = f"sign_as: {{access_key_id: {keys.access_key_id}, secret_access_key: {{file: {folder / 'store'}}}}}"
    of_all = f"service: s3, upstream: '{url}', region: {REGION}, account: '{ACCOUNT}', {sign_as}"
    of_all += ", virtual_hosted: true" if virtual_hosted else ""
    lines = [
        "gateway:",
        f"  proxy_secret: {{file: {folder / 'proxy'}}}",
        f"  ext_authz: {{listen: '127.0.0.1:{free_port()}'}}",
        "  backends:",
        *(f"    - {{name: {name}, match: {{host: {name}.example}}, proxy: {name}, {of_all}}}" for name in PROXIES),
    ]
    path = folder / "daypass.yaml"
    path.write_text("\n".join([*lines, ""]), encoding="ascii")
    return path


@pytest.mark.parametrize("name", PROXIES)
def test_the_bucket_of_the_path_is_the_one_that_is_decided_about(doors: Doors, name: str) -> None:
    assert doors.get(name, f"{name}.example", "/mine/other/secret").body == b"my own"
    assert doors.get(name, f"{name}.example:8080", "/mine/other/secret").body == b"my own"
    assert doors.get(name, f"{name}.example", "/other/secret").status == 403


@pytest.mark.parametrize("name", PROXIES)
def test_a_bucket_in_the_host_is_taken_where_the_store_takes_it(doors: Doors, name: str, virtual_hosted: bool) -> None:
    answer = doors.get(name, f"mine.{name}.example", "/other/secret")
    assert (answer.body == b"my own") is virtual_hosted
    assert virtual_hosted or answer.status in REFUSED


SPELLINGS = (
    "mine.{}.",
    "mine.{upper}",
    "MINE.{}",
    "[mine.{}]",
    "mine.{}:",
    "mine.{}:8x",
    ".{}",
    "{}.",
    "{upper}",
    "minio.{}",
)


@pytest.mark.parametrize("host", [*SPELLINGS, "mine.other", "other.{}", "127.0.0.1"])
@pytest.mark.parametrize("name", PROXIES)
def test_another_spelling_of_a_host_opens_no_bucket(doors: Doors, name: str, host: str) -> None:
    own = f"{name}.example"
    said = host.replace("{upper}", own.upper()).replace("{}", own)
    for path in ("/other/secret", "/mine/other/secret", "/secret"):
        answer = doors.get(name, said, path)
        assert answer.status in REFUSED
        assert answer.body not in (b"not for you", b"my own")


@pytest.mark.parametrize("name", PROXIES)
def test_a_refusal_of_head_is_no_alarm(doors: Doors, name: str) -> None:
    """See ``doors``. nginx asks for the document of a refusal by GET: its length must be that of what is sent."""
    for _ in range(2):
        answer = exchange(doors.urls[name], "HEAD", "/mine/x", {"Host": f"{name}.example"})
        assert (answer.status, answer.body) == (403, b"")
