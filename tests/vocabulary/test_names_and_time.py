# SPDX-License-Identifier: Apache-2.0
"""ARNs, principals and dates in the forms of the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass import arn
from daypass.arn import Arn, is_account_id
from daypass.clock import MovableClock, iso8601, system_clock
from daypass.principal import AccountPrincipal, FederatedUser, RoleSession, Root, User

ACCOUNT = "123456789012"


@given(fields=st.tuples(*[st.text(alphabet="abc-/0", max_size=5)] * 4), resource=st.text(max_size=20))
def test_an_arn_is_taken_apart_and_put_together_unchanged(fields: tuple[str, ...], resource: str) -> None:
    text = ":".join(("arn", *fields, resource))
    assert str(Arn.parse(text)) == text


@pytest.mark.parametrize("text", ["", "arn", "arn:aws:iam::1", "urn:aws:iam::1:role/x", "ARN:aws:iam::1:role/x"])
def test_what_has_not_six_fields_or_another_head_is_no_arn(text: str) -> None:
    with pytest.raises(ValueError, match="expected arn:"):
        Arn.parse(text)


def test_the_name_of_an_arn_is_its_last_segment() -> None:
    assert Arn.parse("arn:aws:iam::123456789012:role/team/Dev").name == "Dev"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("123456789012", True),
        ("000000000000", True),
        ("12345678901", False),
        ("1234567890123", False),
        ("１２３４５６７８９０１２", False),
    ],
)
def test_an_account_id_is_twelve_ascii_digits(text: str, verdict: bool) -> None:
    assert is_account_id(text) is verdict


def test_principals_say_who_they_are_as_aws_says_it() -> None:
    user = User(ACCOUNT, "/team/", "alice", "AIDAEXAMPLE")
    session = RoleSession(ACCOUNT, "/team/", "Dev", "AROAEXAMPLE", "web")
    table: list[tuple[AccountPrincipal, str, str]] = [
        (Root(ACCOUNT), "arn:aws:iam::123456789012:root", ACCOUNT),
        (user, "arn:aws:iam::123456789012:user/team/alice", "AIDAEXAMPLE"),
        (session, "arn:aws:sts::123456789012:assumed-role/Dev/web", "AROAEXAMPLE:web"),
        (FederatedUser(ACCOUNT, "bob", user), "arn:aws:sts::123456789012:federated-user/bob", "123456789012:bob"),
    ]
    assert [(principal.arn, principal.user_id) for principal, _, _ in table] == [(a, u) for _, a, u in table]
    assert session.role_arn == "arn:aws:iam::123456789012:role/team/Dev"


def test_a_provider_is_named_by_its_url_without_the_scheme() -> None:
    assert arn.oidc_provider_arn(ACCOUNT, "idp.example.org/realm") == (
        "arn:aws:iam::123456789012:oidc-provider/idp.example.org/realm"
    )


def test_dates_are_whole_seconds_rounded_down() -> None:
    assert iso8601(1_800_000_000.999) == "2027-01-15T08:00:00Z"
    assert iso8601(0) == "1970-01-01T00:00:00Z"


def test_a_movable_clock_stands_still_until_moved() -> None:
    clock = MovableClock(10.0)
    assert (clock(), clock()) == (10.0, 10.0)
    clock.advance(-3)
    assert clock() == 7.0


def test_the_system_clock_runs_forward() -> None:
    assert system_clock() <= system_clock()
