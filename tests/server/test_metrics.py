# SPDX-License-Identifier: Apache-2.0
"""What is counted, that nobody can make series up, and that no count goes backwards, whoever lives or ends."""

from __future__ import annotations

import datetime
import fcntl
import json
import mmap
import os
from collections.abc import AsyncIterator, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml  # type: ignore[import-untyped]
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text_format

import daypass
from daypass.clock import MovableClock
from daypass.errors import AccessDeniedError, ConfigurationError, DeniedBy, Reason
from daypass.policy.request import Layer
from daypass.server.health import HealthServer
from daypass.server.metrics import Exposition, MetricsDirectory, Recorder, of_recorder
from daypass.server.metrics.cells import BYTES, Cells
from daypass.server.metrics.families import (
    AUDIT_DROPPED,
    FAMILIES,
    GATEWAY_SECONDS,
    NUMBERS,
    REQUEST_BOUNDS,
    STS_REQUESTS,
    UNREAD_REQUESTS,
    WIDEST,
)
from daypass.server.metrics.recorder import UNKNOWN
from daypass.server.metrics.standing import READ_AT_ONCE
from daypass.statefile import Desired, apply, note_problem
from fakes.saml_idp import FakeSamlIdp
from in_process import ACCOUNT, NOW, Service, service

SOURCE = Path(daypass.__file__).parent
DOCS = SOURCE.parent.parent / "docs"
ALL_OF_IT = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(exposition: Exposition) -> Samples:
    """Every sample of a scrape, by name and labels."""
    content_type, body = exposition.answer("")
    assert content_type.startswith("text/plain; version=0.0.4")
    return parsed(body)


def parsed(body: bytes) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_format(body.decode())
        for sample in family.samples
    }


def sample(found: Samples, name: str, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]


def total(found: Samples, name: str) -> float:
    return sum(value for (of, _), value in found.items() if of == name)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[MetricsDirectory]:
    made = MetricsDirectory(tmp_path)
    yield made
    made.close()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Service]:
    async with service(tmp_path) as running:
        yield running


def scrape(door: Service) -> Samples:
    return samples(of_recorder(door.app.metrics, door.clock))


# What the doors count


async def test_an_answered_request_is_counted_by_its_operation_and_timed(door: Service) -> None:
    assert (await door.call("sts", "GetCallerIdentity")).status == 200
    assert (await door.call("iam", "GetRole", RoleName="absent")).code == "NoSuchEntity"
    found = scrape(door)
    assert sample(found, "daypass_sts_requests_total", action="GetCallerIdentity", code="Success") == 1
    assert sample(found, "daypass_iam_requests_total", action="GetRole", code="NoSuchEntity") == 1
    assert sample(found, "daypass_request_duration_seconds_count", service="iam", action="GetRole") == 1
    assert sample(found, "daypass_request_duration_seconds_sum", service="iam", action="GetRole") > 0
    assert sample(found, "daypass_authz_decisions_total", decision="allow", layer="") == 2
    assert sample(found, "daypass_authz_duration_seconds_count") == 2


async def test_a_denial_is_counted_by_what_denied(door: Service) -> None:
    key = await user(door)
    assert (await door.call("iam", "ListRoles", key)).code == "AccessDenied"
    await policy(door, ALL_OF_IT.replace("Allow", "Deny"))
    assert (await door.call("iam", "ListRoles", key)).code == "AccessDenied"
    assert (await door.call("sts", "AssumeRole", RoleArn="arn:aws:iam::1:role/x", RoleSessionName="x")).status == 400
    found = scrape(door)
    assert sample(found, "daypass_authz_decisions_total", decision="deny", layer="identity") == 1
    assert sample(found, "daypass_authz_decisions_total", decision="deny", layer="explicit_deny") == 1


async def test_credentials_that_cannot_do_it_at_all_are_denied_by_their_fitness(door: Service) -> None:
    key = await user(door)
    answer = await door.call("sts", "GetSessionToken", key)
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    session = Credentials(*[answer.text(name) or "" for name in names])
    assert (await door.call("sts", "GetSessionToken", session)).code == "AccessDenied"
    assert sample(scrape(door), "daypass_authz_decisions_total", decision="deny", layer="fitness") == 1


async def user(door: Service) -> Credentials:
    """The key of a new user, who may nothing."""
    assert (await door.call("iam", "CreateUser", UserName="jo")).status == 200
    made = await door.call("iam", "CreateAccessKey", UserName="jo")
    return Credentials(made.text("AccessKeyId") or "", made.text("SecretAccessKey") or "")


async def policy(door: Service, document: str) -> None:
    named = {"UserName": "jo", "PolicyName": "main", "PolicyDocument": document}
    assert (await door.call("iam", "PutUserPolicy", **named)).status == 200


async def test_an_error_of_ours_is_counted(door: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sample(scrape(door), "daypass_internal_failures_total")
    monkeypatch.setattr(door.app.store, "view", lambda: 1 / 0)
    assert (await door.call("sts", "GetCallerIdentity")).code == "InternalFailure"
    found = scrape(door)
    assert (before, sample(found, "daypass_internal_failures_total")) == (0, 1)
    assert sample(found, "daypass_sts_requests_total", action="GetCallerIdentity", code="InternalFailure") == 1


async def test_whatever_callers_make_up_no_series_is_made_for_it(door: Service) -> None:
    async def everything(mark: str) -> None:
        for service_name, version in (("sts", "2011-06-15"), ("iam", "2010-05-08"), ("sts", mark)):
            body = urlencode({"Action": f"Do{mark}", "Version": version, mark: mark}).encode()
            form = (b"content-type", b"application/x-www-form-urlencoded")
            await door.send(headers=[form, (b"host", mark.encode())], body=body, path=b"/" + mark.encode())
            await door.call("iam", "GetRole", RoleName=f"{service_name}-{mark}")
        await door.call("sts", "GetCallerIdentity", Credentials(f"AKIA{mark.upper():>016}", mark))
        assumed = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{mark}", "RoleSessionName": mark}
        await door.call("sts", "AssumeRoleWithWebIdentity", None, **assumed, WebIdentityToken=mark)
        await door.call("sts", "AssumeRoleWithSAML", None, RoleArn=mark, PrincipalArn=mark, SAMLAssertion=mark)

    await everything("first")
    series = scrape(door).keys()
    for number in range(20):
        await everything(f"mark{number}")
    found = scrape(door)
    assert found.keys() == series
    assert total(found, "daypass_unread_requests_total") == 21 * 3
    assert not any("mark" in value for _, labels in found for _, value in labels)


# What ages and expires


async def test_the_sealing_key_ages(door: Service) -> None:
    before = sample(scrape(door), "daypass_sealing_key_age_seconds")
    door.clock.advance(3600)
    assert sample(scrape(door), "daypass_sealing_key_age_seconds") == before + 3600


async def test_a_provider_is_shown_for_as_long_as_it_is_registered(door: Service) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example.org"
    door.app.metrics.fetched(arn, NOW - 100)
    door.app.metrics.fetch_failed(arn)
    door.app.standing.look()
    assert not any("idp" in name for name, _ in scrape(door))
    listed = {"Url": "https://idp.example.org", "ClientIDList.member.1": "client"}
    assert (await door.call("iam", "CreateOpenIDConnectProvider", **listed)).status == 200
    door.app.standing.look()
    found = scrape(door)
    assert sample(found, "daypass_idp_jwks_age_seconds", provider=arn) == 100
    assert sample(found, "daypass_idp_fetch_failures_total", provider=arn) == 1
    assert (await door.call("iam", "DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=arn)).status == 200
    door.app.standing.look()
    assert not any("idp" in name for name, _ in scrape(door))


async def test_the_ends_of_a_saml_provider_are_shown_and_the_last_certificate_counts(door: Service) -> None:
    idp = FakeSamlIdp()
    ends = [datetime.datetime(year, 1, 2, tzinfo=datetime.UTC) for year in (2027, 2029)]
    document = idp.metadata(certificates=[certificate(end) for end in ends], validUntil="2028-01-02T00:00:00Z")
    await saml_provider(door, "office", document)
    await saml_provider(door, "endless", idp.metadata())
    door.app.standing.look()
    found = scrape(door)
    arn = f"arn:aws:iam::{ACCOUNT}:saml-provider/"
    at = sample(found, "daypass_saml_cert_expiry_timestamp_seconds", provider=arn + "office")
    assert at == ends[1].timestamp()
    until = "daypass_saml_metadata_expiry_timestamp_seconds"
    assert [labels for name, labels in found if name == until] == [(("provider", arn + "office"),)]
    assert (
        sample(found, until, provider=arn + "office") == datetime.datetime(2028, 1, 2, tzinfo=datetime.UTC).timestamp()
    )


async def test_the_metadata_of_many_providers_is_read_a_few_at_a_time(door: Service) -> None:
    document = FakeSamlIdp().metadata()
    for number in range(READ_AT_ONCE + 1):
        await saml_provider(door, f"idp-{number}", document)
    for shown in (READ_AT_ONCE, READ_AT_ONCE + 1, READ_AT_ONCE + 1):
        door.app.standing.look()
        found = scrape(door)
        assert len([name for name, _ in found if name == "daypass_saml_cert_expiry_timestamp_seconds"]) == shown


async def saml_provider(door: Service, name: str, document: bytes) -> None:
    made = await door.call("iam", "CreateSAMLProvider", Name=name, SAMLMetadataDocument=document.decode())
    assert made.status == 200


def certificate(end: datetime.datetime) -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(end - datetime.timedelta(days=900)).not_valid_after(end)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


async def test_a_state_file_that_is_refused_is_shown_until_one_is_accepted(door: Service) -> None:
    assert sample(scrape(door), "daypass_state_file_refused") == 0
    await note_problem(door.app.store, "/f", "it is wrong")
    door.app.standing.look()
    assert sample(scrape(door), "daypass_state_file_refused") == 1
    await apply(door.app.store, Desired("'f'", ()), "/f", now=door.clock())
    door.app.standing.look()
    assert sample(scrape(door), "daypass_state_file_refused") == 0


async def test_what_the_audit_trail_could_not_record_is_taken_over(door: Service) -> None:
    door.app.audit.dropped, door.app.audit.write_failures = 7, 2
    door.app.standing.look()
    found = scrape(door)
    assert sample(found, AUDIT_DROPPED.name) == 7
    assert sample(found, "daypass_audit_write_failures_total") == 2


# The numbers of one process


def test_a_duration_at_a_bound_is_within_it() -> None:
    clock = MovableClock(0.0)
    recorder = Recorder(timer=clock)
    for seconds in (REQUEST_BOUNDS[0], REQUEST_BOUNDS[0] + 1e-9, REQUEST_BOUNDS[-1] + 1):
        clock.instant = seconds
        recorder.answered("sts", "AssumeRole", "Success", 0.0)
    found = samples(of_recorder(recorder))
    labels = {"service": "sts", "action": "AssumeRole"}

    def bucket(bound: str) -> float:
        return sample(found, "daypass_request_duration_seconds_bucket", le=bound, **labels)

    assert [bucket("0.001"), bucket("0.0025"), bucket("2.5"), bucket("+Inf")] == [1, 2, 2, 3]
    assert sample(found, "daypass_request_duration_seconds_count", **labels) == 3


def test_the_gateway_is_counted_by_backend(recorder: Recorder) -> None:
    recorder.gateway_answered(backend="lake", operation="GetObject", code="200", began=recorder.time())
    recorder.gateway_answered(backend="lake", operation=None, code="AccessDenied", began=recorder.time())
    recorder.gateway_bytes(backend="lake", received=0, sent=5)
    recorder.gateway_upstream_failed(backend="lake", reason="timeout")
    found = samples(of_recorder(recorder))
    name = "daypass_gateway_requests_total"
    assert sample(found, name, backend="lake", operation="GetObject", code="200") == 1
    assert sample(found, name, backend="lake", operation=UNKNOWN, code="AccessDenied") == 1
    assert sample(found, "daypass_gateway_bytes_total", backend="lake", direction="out") == 5
    assert sample(found, "daypass_gateway_upstream_failures_total", backend="lake", reason="timeout") == 1
    assert sample(found, f"{GATEWAY_SECONDS.name}_count", backend="lake") == 2


@pytest.mark.parametrize("code", ["0", "99", "600", "1000", "99999"])
def test_a_status_that_is_none_has_no_series_of_its_own(recorder: Recorder, code: str) -> None:
    recorder.gateway_answered(backend="lake", operation="GetObject", code=code, began=recorder.time())
    labels = {"backend": "lake", "operation": "GetObject", "code": UNKNOWN}
    assert sample(samples(of_recorder(recorder)), "daypass_gateway_requests_total", **labels) == 1


def test_a_family_has_no_more_series_than_it_may_have_and_the_rest_is_counted(recorder: Recorder) -> None:
    for number in range(UNREAD_REQUESTS.limit + 3):
        recorder.unread(f"code-{number}")
    recorder.unread("code-0")
    found = samples(of_recorder(recorder))
    assert len([name for name, _ in found if name == UNREAD_REQUESTS.name]) == UNREAD_REQUESTS.limit
    assert sample(found, UNREAD_REQUESTS.name, code="code-0") == 2
    assert sample(found, "daypass_metrics_overflow_total") == 3


def test_there_is_room_for_every_family_at_its_limit() -> None:
    assert 1 + WIDEST + sum(family.limit * family.width for family in FAMILIES) <= NUMBERS


def test_every_denial_has_a_layer_and_is_never_counted_as_allowed(recorder: Recorder) -> None:
    for reason in (Reason.NOT_AUTHORIZED, Reason.NOT_TRUSTED, Reason.CREDENTIALS_UNFIT):
        recorder.decided(AccessDeniedError(reason, "no").denied_by)
    found = samples(of_recorder(recorder))
    assert sample(found, "daypass_authz_decisions_total", decision="allow", layer="") == 0
    assert total(found, "daypass_authz_decisions_total") == 3
    assert sample(found, "daypass_authz_decisions_total", decision="deny", layer="trust") == 1


def test_every_layer_of_the_policies_can_deny() -> None:
    layers: set[str] = {layer.value for layer in Layer}
    assert set(DeniedBy.__args__) - {"explicit_deny", "fitness"} == layers  # type: ignore[attr-defined]


# The numbers of several processes


class Worker:
    """What a worker has of its cells; its end unlocks them, as that of a process does."""

    def __init__(self, directory: MetricsDirectory) -> None:
        before = set(os.listdir("/proc/self/fd"))
        self.recorder = Recorder.in_directory(directory.path)
        opened = set(os.listdir("/proc/self/fd")) - before
        self._locked = [
            int(number) for number in opened if os.path.realpath(f"/proc/self/fd/{number}").endswith(".cells")
        ]

    def end(self) -> None:
        for descriptor in self._locked:
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def counted(exposition: Exposition) -> float:
    return sample(samples(exposition), STS_REQUESTS.name, action="AssumeRole", code="Success")


def test_what_workers_count_is_summed_and_stays_when_one_ends(directory: MetricsDirectory) -> None:
    exposition = directory.exposition(lambda: (), 2)
    first, second = Worker(directory), Worker(directory)
    for worker, times in ((first, 3), (second, 4)):
        for _ in range(times):
            worker.recorder.answered("sts", "AssumeRole", "Success", worker.recorder.time())
    assert counted(exposition) == 7
    first.end()
    assert [counted(exposition), counted(exposition)] == [7, 7]
    assert len(list(directory.path.glob("*.cells"))) == 1
    Worker(directory).recorder.answered("sts", "AssumeRole", "Success", None)
    second.recorder.answered("sts", "AssumeRole", "Success", None)
    assert counted(exposition) == 9
    second.end()
    found = samples(exposition)
    assert sample(found, STS_REQUESTS.name, action="AssumeRole", code="Success") == 9
    assert sample(found, "daypass_workers_ended_total") == 2
    labels = {"service": "sts", "action": "AssumeRole"}
    assert sample(found, "daypass_request_duration_seconds_count", **labels) == 7


def test_the_newest_keys_of_any_living_worker_are_the_age_of_a_provider(directory: MetricsDirectory) -> None:
    clock = MovableClock(1000.0)
    exposition = directory.exposition(lambda: (), 2)
    exposition._clock = clock
    first, second = Worker(directory), Worker(directory)
    for worker, at in ((first, 900.0), (second, 950.0)):
        worker.recorder.fetched("arn:p", at)
        worker.recorder.cells.publish(json.dumps({"oidc": ["arn:p"]}).encode())
    assert sample(samples(exposition), "daypass_idp_jwks_age_seconds", provider="arn:p") == 50


def test_a_line_that_is_not_written_whole_yet_is_left_for_the_next_scrape(directory: MetricsDirectory) -> None:
    worker = Worker(directory)
    worker.recorder.answered("sts", "AssumeRole", "Success", None)
    (names,) = directory.path.glob("*.names")
    with names.open("ab") as file:
        file.write(b'["daypass_sts_requests_total",["Half')
    assert counted(directory.exposition(lambda: (), 1)) == 1


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * BYTES])
def test_files_that_are_not_ours_do_not_stop_a_scrape(directory: MetricsDirectory, content: bytes) -> None:
    (directory.path / "stray.cells").write_bytes(content)
    (directory.path / "stray.names").write_bytes(b"[]\n")
    assert samples(directory.exposition(lambda: (), 1))


def test_a_start_removes_what_killed_processes_left_and_nothing_else(tmp_path: Path) -> None:
    running, killed = MetricsDirectory(tmp_path), MetricsDirectory(tmp_path)
    os.close(killed._lock)
    third = MetricsDirectory(tmp_path)
    assert sorted((tmp_path / "metrics").iterdir()) == sorted([running.path, third.path])
    for directory in (running, third):
        directory.close()
    assert list((tmp_path / "metrics").iterdir()) == []


def test_a_directory_that_cannot_be_made_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "metrics").write_bytes(b"a file")
    with pytest.raises(ConfigurationError) as refused:
        MetricsDirectory(tmp_path)
    assert refused.value.reason is Reason.CONFIGURATION_INVALID


def test_a_block_of_cells_has_no_hole_that_a_full_disk_could_leave(directory: MetricsDirectory) -> None:
    Cells.in_directory(directory.path)
    (path,) = directory.path.glob("*.cells")
    assert path.stat().st_blocks * 512 >= path.stat().st_size == BYTES
    assert BYTES % mmap.PAGESIZE == 0


# What is served


def test_metrics_are_served_in_the_form_that_is_asked_for(recorder: Recorder) -> None:
    recorder.answered("sts", "AssumeRole", "Success", recorder.time())
    server = HealthServer("127.0.0.1", 0, {}, of_recorder(recorder).answer)
    server.start()
    try:
        plain_type, plain = fetch(server.port, "/metrics", {})
        asked = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}
        open_type, opened = fetch(server.port, "/metrics?x=y", asked)
    finally:
        server.close()
    assert plain_type.startswith("text/plain; version=0.0.4")
    assert sample(parsed(plain), STS_REQUESTS.name, action="AssumeRole", code="Success") == 1
    assert open_type.startswith("application/openmetrics-text; version=1.0.0")
    families = open_metrics(opened.decode())  # type: ignore[no-untyped-call]
    assert {family.name for family in families} > {"daypass_sts_requests", "daypass_workers"}


def fetch(port: int, path: str, headers: dict[str, str]) -> tuple[str, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


def test_only_the_server_knows_prometheus() -> None:
    knowing = {
        path.relative_to(SOURCE).parts[0]
        for path in SOURCE.rglob("*.py")
        if "import prometheus_client" in path.read_text() or "from prometheus_client" in path.read_text()
    }
    assert knowing == {"server"}


@pytest.mark.parametrize("accept", ["application/openmetrics-text; version=x", "text/plain;version=\xff"])
def test_who_asks_for_a_format_that_cannot_be_read_gets_the_plain_one(accept: str) -> None:
    content_type, body = of_recorder(Recorder()).answer(accept)
    assert content_type.startswith("text/plain")
    assert b"daypass_build_info" in body


# What is documented


def names() -> set[str]:
    """Every family that is served, as it is queried."""
    body = of_recorder(Recorder()).answer("")[1].decode()
    served = {line.split()[2] for line in body.splitlines() if line.startswith("# TYPE")}
    return {name for name in served if name.startswith("daypass_")}


def test_every_metric_is_documented() -> None:
    text = (DOCS / "metrics.md").read_text()
    assert [name for name in sorted(names()) if f"`{name}" not in text] == []


def test_alerts_and_dashboard_ask_for_metrics_that_there_are() -> None:
    rules = yaml.safe_load((DOCS / "alerts.yaml").read_text())["groups"][0]["rules"]
    panels = json.loads((DOCS / "grafana-dashboard.json").read_text())["panels"]
    queries = [rule["expr"] for rule in rules]
    queries += [target["expr"] for panel in panels for target in panel.get("targets", ())]
    known = {suffixed for name in names() for suffixed in (name, f"{name}_bucket", f"{name}_sum", f"{name}_count")}
    assert len(rules) == 7
    assert all({"alert", "expr", "for", "labels", "annotations"} <= rule.keys() for rule in rules)
    for query in queries:
        asked = set(words(query))
        assert asked, query
        assert asked <= known, query


def words(query: str) -> Iterator[str]:
    text = "".join(character if character.isalnum() or character == "_" else " " for character in query)
    return (word for word in text.split() if word.startswith("daypass_"))
