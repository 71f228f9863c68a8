# SPDX-License-Identifier: Apache-2.0
"""What the browser keeps for us: sealed, for a time, and for one use."""

from __future__ import annotations

import pytest

from daypass.errors import Reason, RequestError
from daypass.sealing import KeyRing, RingKey
from daypass.signin import cookies, limits
from daypass.signin.sealed import Question, Sealer

NOW = 1_800_000_000.0


def ring(number: int = 1) -> KeyRing:
    return KeyRing([RingKey(bytes((number,)) * 4, bytes((number,)) * 32, bytes((number + 1,)) * 32, NOW - 60)])


@pytest.fixture(scope="module")
def sealer() -> Sealer:
    known = ring()
    return Sealer(lambda: known)


def question(number: int, ends_at: float = NOW + limits.REQUEST_SECONDS) -> Question:
    return Question(f"_{number}", f"relay-{number}", "123456789012", "corporate", "/portal/", int(ends_at))


def choice(sealer: Sealer, **changes: str) -> str:
    values = {"response": "PHNhbWw+", "browser": "secret", **changes}
    return sealer.seal_choice(values["response"], values["browser"], request_id="_1", return_to="/portal/", now=NOW)


def test_questions_come_back_as_they_were(sealer: Sealer) -> None:
    asked = (question(1), question(2))
    assert sealer.open_questions(sealer.seal_questions(asked, NOW), NOW) == asked


def test_the_oldest_question_is_forgotten_when_there_are_too_many(sealer: Sealer) -> None:
    asked = tuple(question(number) for number in range(limits.PENDING + 1))
    assert sealer.open_questions(sealer.seal_questions(asked, NOW), NOW) == asked[1:]


def test_a_question_ends_at_its_instant(sealer: Sealer) -> None:
    sealed = sealer.seal_questions((question(1, NOW + 10),), NOW)
    assert len(sealer.open_questions(sealed, NOW + 9.9)) == 1
    assert sealer.open_questions(sealed, NOW + 10) == ()


@pytest.mark.parametrize("sealed", [None, "", "x", "AAAA", "%"])
def test_a_cookie_that_is_not_ours_has_no_question(sealer: Sealer, sealed: str | None) -> None:
    assert sealer.open_questions(sealed, NOW) == ()


def test_a_cookie_of_another_ring_or_of_a_choice_has_no_question(sealer: Sealer) -> None:
    other = ring(7)
    assert sealer.open_questions(Sealer(lambda: other).seal_questions((question(1),), NOW), NOW) == ()
    assert sealer.open_questions(choice(sealer), NOW) == ()


def test_the_longest_questions_fit_into_a_cookie(sealer: Sealer) -> None:
    longest = Question(
        "_" + "f" * 40, "r" * 22, "1" * 12, "n" * 128, "/" + "p" * (limits.RETURN_TO_CHARACTERS - 1), 2**33
    )
    sealed = sealer.seal_questions((longest,) * limits.PENDING, NOW)
    _, header = cookies.set_cookie(cookies.REQUESTS, sealed, limits.REQUEST_SECONDS)
    assert len(header) <= limits.COOKIE_CHARACTERS


def test_a_choice_is_for_the_response_and_the_browser_that_it_was_made_for(sealer: Sealer) -> None:
    opened = sealer.open_choice(choice(sealer), "PHNhbWw+", "secret", NOW)
    assert (opened.request_id, opened.return_to) == ("_1", "/portal/")


@pytest.mark.parametrize(
    ("response", "browser"),
    [("PHNhbWw-", "secret"), ("", "secret"), ("PHNhbWw+", "other"), ("PHNhbWw+", None), ("PHNhbWw+", "")],
)
def test_a_choice_is_for_no_other_response_and_no_other_browser(
    sealer: Sealer, response: str, browser: str | None
) -> None:
    with pytest.raises(RequestError) as caught:
        sealer.open_choice(choice(sealer), response, browser, NOW)
    assert caught.value.reason is Reason.SIGN_IN_FOREIGN


def test_a_choice_ends_at_its_instant(sealer: Sealer) -> None:
    sealed = choice(sealer)
    sealer.open_choice(sealed, "PHNhbWw+", "secret", NOW + limits.CHOICE_SECONDS - 0.1)
    with pytest.raises(RequestError) as caught:
        sealer.open_choice(sealed, "PHNhbWw+", "secret", NOW + limits.CHOICE_SECONDS)
    assert caught.value.reason is Reason.SIGN_IN_ENDED


def test_nothing_else_that_is_sealed_is_a_choice(sealer: Sealer) -> None:
    other = ring(7)
    flipped = choice(sealer)[:-6] + ("AAAAA=" if not choice(sealer).endswith("AAAAA=") else "BBBBB=")
    for sealed in (sealer.seal_questions((question(1),), NOW), choice(Sealer(lambda: other)), flipped, "", "x"):
        with pytest.raises(RequestError) as caught:
            sealer.open_choice(sealed, "PHNhbWw+", "secret", NOW)
        assert caught.value.reason is Reason.SIGN_IN_FOREIGN


def test_what_is_sealed_does_not_print(sealer: Sealer) -> None:
    assert repr(question(1)) == "Question(...)"
    assert repr(sealer.open_choice(choice(sealer), "PHNhbWw+", "secret", NOW)) == "Choice(...)"


def test_every_cookie_is_of_this_host_alone_and_no_script_reads_it() -> None:
    for name, same_site in ((cookies.REQUESTS, "None"), (cookies.CHOICE, "Strict")):
        header, value = cookies.set_cookie(name, "value", 300)
        assert (header, value.decode()) == (
            b"set-cookie",
            f"{name}=value; Path=/; Max-Age=300; Secure; HttpOnly; SameSite={same_site}",
        )
        assert name.startswith("__Host-")


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        ([b"__Host-daypass-choice=a=="], "a=="),
        ([b"x=y; __Host-daypass-choice=a; z"], "a"),
        ([b"x=y", b"__Host-daypass-choice=a"], "a"),
        ([b"__Host-daypass-choice=a; __Host-daypass-choice=b"], None),
        ([b"__Host-daypass-choice=a", b"__Host-daypass-choice=a"], None),
        ([b"__host-daypass-choice=a"], None),
        ([b"__Host-daypass-choice"], None),
        ([b"daypass-choice=a"], None),
        ([], None),
    ],
)
def test_two_cookies_of_a_name_are_none(cookie: list[bytes], expected: str | None) -> None:
    assert cookies.read_cookie([(b"cookie", value) for value in cookie], cookies.CHOICE) == expected
