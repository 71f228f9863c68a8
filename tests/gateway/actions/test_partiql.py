# SPDX-License-Identifier: Apache-2.0
"""PartiQL statements are about one table that can be told, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.partiql import MAX_STATEMENT, read_statement

PLAIN = [
    ('SELECT * FROM "things"', "PartiQLSelect", "things", None),
    ("select a, b.c from things where x = 'FROM secrets'", "PartiQLSelect", "things", None),
    ('SELECT "FROM" FROM "things"."by-colour" WHERE a IN [1, 2]', "PartiQLSelect", "things", "by-colour"),
    ("SELECT *\n  FROM things\n ORDER BY a DESC", "PartiQLSelect", "things", None),
    ("SELECT 'it''s' FROM things", "PartiQLSelect", "things", None),
    ("INSERT INTO \"things\" VALUE {'id': '1', 'n': <<1, 2>>}", "PartiQLInsert", "things", None),
    ('UPDATE "things" SET a = ? REMOVE b WHERE id = ? RETURNING ALL OLD *', "PartiQLUpdate", "things", None),
    ("UPDATE things REMOVE b WHERE id = ?", "PartiQLUpdate", "things", None),
    ('DELETE FROM "things" WHERE id = ? RETURNING ALL OLD *', "PartiQLDelete", "things", None),
]


@pytest.mark.parametrize(("statement", "action", "table", "index"), PLAIN)
def test_a_plain_statement_says_its_action_table_and_index(
    statement: str, action: str, table: str, index: str | None
) -> None:
    target = read_statement(statement)
    assert (target.action, target.table, target.index) == (action, table, index)


UNCLEAR = [
    "",
    "SELECT",
    "SELECT * FROM",
    "things",
    "CREATE TABLE things",
    "SELECT * FROM things, secrets",
    "SELECT * FROM things AS t, secrets",
    "SELECT * FROM things t",
    "SELECT * FROM things JOIN secrets ON a = b",
    "SELECT * FROM things UNION SELECT * FROM secrets",
    "SELECT * FROM things WHERE a IN (SELECT a FROM secrets)",
    "SELECT * FROM (SELECT * FROM secrets)",
    "SELECT * FROM things; DELETE FROM things",
    "SELECT * FROM things;",
    "SELECT * FROM things -- WHERE",
    "SELECT * /* FROM things */ FROM secrets",
    "SELECT '\\' FROM secrets WHERE a = ' FROM things",
    "SELECT * FROM `things`",
    "SELECT * FROM 'things'",
    "SELECT * FROM things WHERE a = 'open",
    'SELECT * FROM "things',
    'SELECT * FROM ""',
    'SELECT * FROM "a"."b"."c"',
    "SELECT * FROM ?",
    "EXISTS(SELECT * FROM things WHERE id = 1)",
    "SELECT * FROM things WHERE EXISTS (x)",
    'DELETE FROM "things"."index" WHERE id = 1',
    "DELETE * FROM things WHERE id = 1",
    "INSERT things INTO secrets VALUE {}",
    "UPDATE things",
    "UPDATE things FROM secrets SET a = 1",
    "SELECT * FROM things\u00a0WHERE a = 1",
    "SELECT * FROM thíngs",
    "SELECT * FROM things\x00",
    "ＳＥＬＥＣＴ * FROM things",
]


@pytest.mark.parametrize("statement", UNCLEAR)
def test_a_statement_whose_table_can_be_told_in_two_ways_is_refused(statement: str) -> None:
    with pytest.raises(RequestError) as refused:
        read_statement(statement)
    assert refused.value.reason is Reason.UNSUPPORTED_OPERATION


def test_a_statement_of_the_limit_is_read_and_a_longer_one_refused() -> None:
    start = "SELECT * FROM things WHERE a = '"
    longest = start + "x" * (MAX_STATEMENT - len(start) - 1) + "'"
    assert read_statement(longest).table == "things"
    with pytest.raises(RequestError):
        read_statement(longest.replace("x'", "xx'"))


WORDS = st.sampled_from(
    [
        "SELECT",
        "FROM",
        "DELETE",
        "UPDATE",
        "INTO",
        "SET",
        "WHERE",
        "things",
        '"secrets"',
        "'",
        '"',
        "--",
        ",",
        ".",
        "*",
        " ",
    ]
)


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_whatever_the_words_the_table_stands_in_the_statement_right_behind_its_word(statement: str) -> None:
    try:
        target = read_statement(statement)
    except RequestError:
        return
    flat = statement.replace('"', "")
    assert any(
        word in " ".join(flat.split())
        for word in (f"FROM {target.table}", f"INTO {target.table}", f"UPDATE {target.table}")
    )
