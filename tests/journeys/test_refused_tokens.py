# SPDX-License-Identifier: Apache-2.0
"""
Tokens and requests that AssumeRoleWithWebIdentity refuses: the code of each, as clients tell them apart, over the wire.

What exactly is wrong with a token is for the tests of ``daypass.oidc``; here it is what its bearer hears.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daypass.clock import system_clock
from fakes.oidc_provider import FakeOidcProvider, signing_key
from journeys.background import Background, fake_provider
from journeys.real_provider import RealProvider
from journeys.refusals import refusal, refused
from journeys.roles import CLIENT, Issuer, role_arn, trusting, unique
from running import Server

Tokens = Callable[[Issuer], str]


@pytest.fixture(scope="module")
def role(issuer: Issuer) -> str:
    return issuer.role()


@pytest.fixture(scope="module")
def stranger(loop: Background) -> Any:
    """A provider that is in order, but that nobody registered."""
    with fake_provider(loop) as fake:
        fake.add_key("ES256")
        yield fake


def now(seconds: int = 0) -> int:
    """An instant so many seconds from now."""
    return int(system_clock()) + seconds


def altered(token: str) -> str:
    """The token, its payload replaced by one with another subject; the signature stays."""
    header, payload, signature = token.split(".")
    return f"{header}.{payload[:-4]}{'AAAA' if payload[-4:] != 'AAAA' else 'BBBB'}.{signature}"


REFUSED_TOKENS: dict[str, tuple[str, Tokens]] = {
    "garbage": ("InvalidIdentityToken", lambda _: "this is not a token"),
    "three parts of garbage": ("InvalidIdentityToken", lambda _: "abcd.efgh.ijkl"),
    "payload altered": ("InvalidIdentityToken", lambda issuer: altered(issuer.token())),
    "signed by another key": (
        "InvalidIdentityToken",
        lambda issuer: issuer.token(signed_by=signing_key("ES256", "key-1", number=7)),
    ),
    "signature removed": ("InvalidIdentityToken", lambda issuer: issuer.token().rpartition(".")[0] + "."),
    "alg none": ("InvalidIdentityToken", lambda issuer: issuer.token(header={"alg": "none"})),
    "alg HS256": ("InvalidIdentityToken", lambda issuer: issuer.token(header={"alg": "HS256"})),
    "other audience": ("InvalidIdentityToken", lambda issuer: issuer.token(aud="another")),
    "audience absent": ("InvalidIdentityToken", lambda issuer: issuer.token(aud=None)),
    "issuer with a slash": ("InvalidIdentityToken", lambda issuer: issuer.token(iss=issuer.fake.issuer + "/")),
    "issuer absent": ("InvalidIdentityToken", lambda issuer: issuer.token(iss=None)),
    "subject absent": ("InvalidIdentityToken", lambda issuer: issuer.token(sub=None)),
    "expiry absent": ("InvalidIdentityToken", lambda issuer: issuer.token(exp=None)),
    "expired": ("ExpiredTokenException", lambda issuer: issuer.token(iat=now(-7200), exp=now(-3600))),
    "issued in the future": ("InvalidIdentityToken", lambda issuer: issuer.token(iat=now(7200), exp=now(9000))),
}


@pytest.mark.parametrize("case", REFUSED_TOKENS)
def test_a_token_that_does_not_verify_is_refused_with_its_code(issuer: Issuer, role: str, case: str) -> None:
    code, make = REFUSED_TOKENS[case]
    assert refused(issuer.assume, role=role, token=make(issuer)) == (code, 400)


def test_a_token_of_an_issuer_that_is_not_registered_is_refused(
    issuer: Issuer, role: str, stranger: FakeOidcProvider
) -> None:
    token = stranger.token(iat=now(), exp=now(3600))
    assert refused(issuer.assume, role=role, token=token) == ("InvalidIdentityToken", 400)
    assert stranger.fetches == [], "a token made us ask somebody whom nobody registered"


def test_a_token_for_another_client_of_the_real_provider_is_refused(
    server: Server, provider: RealProvider, iam: Any
) -> None:
    name = unique("app")
    trust = trusting(provider.issuer, audience="another-app", subject="alice")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    token = provider.sign_in("alice", client_id="another-app")
    call = server.client("sts").assume_role_with_web_identity
    assert refused(call, RoleArn=role_arn(name), RoleSessionName="session", WebIdentityToken=token) == (
        "InvalidIdentityToken",
        400,
    )


def test_an_altered_token_of_the_real_provider_is_refused(server: Server, provider: RealProvider, iam: Any) -> None:
    name = unique("app")
    trust = trusting(provider.issuer, audience="web-app", subject="alice")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    call = server.client("sts").assume_role_with_web_identity
    parameters = {"RoleArn": role_arn(name), "RoleSessionName": "session"}
    token = provider.sign_in("alice")
    assert refused(call, WebIdentityToken=altered(token), **parameters) == ("InvalidIdentityToken", 400)
    assert call(WebIdentityToken=token, **parameters)["Audience"] == "web-app"


def test_a_role_that_does_not_trust_and_a_role_that_does_not_exist_are_refused_in_the_same_words(
    issuer: Issuer, role: str
) -> None:
    not_trusted = refusal(issuer.assume, role=role, token=issuer.token(sub="mallory"))
    not_there = refusal(issuer.assume, role=unique("nobody"), token=issuer.token(sub="mallory"))
    assert not_trusted == not_there
    assert (not_trusted.code, not_trusted.status) == ("AccessDenied", 403)
    assert not_trusted.message == "Not authorized to perform sts:AssumeRoleWithWebIdentity"


def test_a_role_of_another_path_is_not_the_role(issuer: Issuer) -> None:
    role = issuer.role(Path="/team/")
    assert refused(issuer.assume, role=role) == ("AccessDenied", 403)
    assert issuer.assume(f"team/{role}")["AssumedRoleUser"]["Arn"].endswith(f"assumed-role/{role}/session")


BAD_PARAMETERS: dict[str, dict[str, Any]] = {
    "token of 20,001 characters": {"token": "a" * 20_001},
    "token of 3 characters": {"token": "abc"},
    "session name of one character": {"session": "x"},
    "session name of 65 characters": {"session": "x" * 65},
    "session name with a slash": {"session": "web/session"},
    "session name with a space": {"session": "web session"},
    "899 seconds": {"DurationSeconds": 899},
    "43,201 seconds": {"DurationSeconds": 43_201},
    "more seconds than the role allows": {"DurationSeconds": 3601},
    "session policy of 2,049 characters": {"Policy": " " * 2049},
    "a managed session policy that is not there": {"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/Nothing"}]},
    "a provider id": {"ProviderId": "www.amazon.com"},
}


@pytest.mark.parametrize("case", BAD_PARAMETERS)
def test_a_parameter_that_cannot_be_honoured_is_refused(issuer: Issuer, role: str, case: str) -> None:
    assert refused(issuer.assume, role=role, **BAD_PARAMETERS[case]) == ("ValidationError", 400)


def test_the_role_says_how_long_its_sessions_may_be_to_the_second(issuer: Issuer) -> None:
    role = issuer.role(MaxSessionDuration=7200)
    assert issuer.assume(role, DurationSeconds=7200)["Credentials"]
    assert refused(issuer.assume, role=role, DurationSeconds=7201) == ("ValidationError", 400)


@pytest.mark.parametrize(
    "role_arn",
    [
        "arn:aws:iam::123456789012:user/alice",
        "arn:aws:iam::123456789012:root",
        "arn:aws:s3:::bucket-with-a-long-name",
        "not an arn, but long enough",
    ],
)
def test_what_is_no_arn_of_a_role_is_refused(issuer: Issuer, server: Server, role_arn: str) -> None:
    call = server.client("sts").assume_role_with_web_identity
    parameters = {"RoleSessionName": "session", "WebIdentityToken": issuer.token()}
    assert refused(call, RoleArn=role_arn, **parameters) == ("ValidationError", 400)


def test_a_session_policy_that_is_no_policy_is_refused(issuer: Issuer, role: str) -> None:
    assert refused(issuer.assume, role=role, Policy='{"Statement": "all"}') == ("MalformedPolicyDocument", 400)


def test_the_command_line_hears_the_same_code(server: Server, role: str, tmp_path: Path) -> None:
    token_file = tmp_path / "token.jwt"
    token_file.write_text("not a token", encoding="ascii")
    ran = server.aws(
        *("sts", "assume-role-with-web-identity", "--role-arn", role_arn(role), "--role-session-name", "session"),
        *("--web-identity-token", f"file://{token_file}"),
    )
    assert ran.code != 0
    assert "An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation" in ran.error
    assert "Traceback" not in ran.error


def test_no_token_is_written_to_the_log(server: Server, issuer: Issuer, role: str) -> None:
    token = issuer.token(aud="another")
    assert refused(issuer.assume, role=role, token=token)[0] == "InvalidIdentityToken"
    assert token.rpartition(".")[2] not in server.log()
    assert CLIENT not in server.log()
