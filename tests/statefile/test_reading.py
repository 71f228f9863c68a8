# SPDX-License-Identifier: Apache-2.0
"""What a state file wants, and what is refused with its line; the published schema says the same to editors."""

from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from daypass.errors import ConfigurationError, Reason
from daypass.resources import OWNER, POLICY, PUBLIC_ACCESS
from daypass.statefile import Desired, Wanted, json_schema, read_desired
from daypass.statefile.desired import WantedPolicy
from daypass.statefile.limits import PROBLEMS, RESOURCES
from daypass.store import PublicAccess
from daypass.yamltext import read_yaml

LAKE, QUEUE, THING = "arn:aws:s3:::lake", "arn:aws:sqs:us-east-1:123456789012:q", "arn:aws:things:::thing/1"
ALL = PublicAccess(True, True, True, True)


def absent(path: str) -> str:
    raise ConfigurationError(Reason.CONFIGURATION_INVALID, f"{path!r} is not there")


def read(text: str, documents: dict[str, str] | None = None) -> Desired:
    found = documents or {}
    return read_desired(text, "'f'", lambda path: found[path] if path in found else absent(path))


def refused(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert caught.value.reason is Reason.CONFIGURATION_INVALID
    return str(caught.value)


def test_a_file_wants_what_it_names_in_the_order_in_which_it_is_written() -> None:
    text = f"""
version: 1
resources:
  - arn: {LAKE}
    policy: p/lake.json
    public_access_block: {{block_public_acls: true}}
    owner: "123456789012"
  - policy: {{Version: 2012-10-17, Statement: []}}
    arn: {QUEUE}
  - {{arn: {THING}, owner: "210000000001", policy: p/lake.json}}
public_access_blocks:
  "123456789012": all
  "210000000001": none
"""
    assert read(text, {"p/lake.json": "{ }"}).wanted == (
        Wanted(PUBLIC_ACCESS, "123456789012", ALL, 12),
        Wanted(PUBLIC_ACCESS, "210000000001", None, 13),
        Wanted(OWNER, LAKE, "123456789012", 7),
        Wanted(PUBLIC_ACCESS, LAKE, PublicAccess(block_public_acls=True), 6),
        Wanted(POLICY, LAKE, WantedPolicy("{ }"), 5),
        Wanted(POLICY, QUEUE, WantedPolicy('{"Version": "2012-10-17", "Statement": []}'), 8),
        Wanted(POLICY, THING, WantedPolicy("{ }", "210000000001"), 10),
    )


def test_json_is_a_state_file_too() -> None:
    value = {"version": 1, "resources": [{"arn": LAKE, "public_access_block": "none"}]}
    assert read(json.dumps(value)).wanted == (Wanted(PUBLIC_ACCESS, LAKE, None, 1),)


def test_a_file_that_wants_nothing_says_so() -> None:
    assert read("version: 1").wanted == ()


def test_the_digest_is_of_what_is_wanted_and_not_of_its_form() -> None:
    one = read(f"version: 1\nresources:\n- arn: {LAKE}\n  public_access_block: all\n")
    same = read(f"# other\n{{resources: [{{public_access_block: all, arn: '{LAKE}'}}], version: 1}}")
    other = read(f"version: 1\nresources:\n- arn: {LAKE}\n  public_access_block: none\n")
    assert one.digest() == same.digest() != other.digest()


ENTRY = f"version: 1\nresources:\n  - arn: {LAKE}\n    "
REFUSED = [
    ("", "line 1: expected keys and values"),
    ("resources: []", "line 1: version: it is missing"),
    ("version: 2", "line 1: version: expected 1"),
    ("version: '1'", "line 1: version: expected 1"),
    ("version: true", "line 1: version: expected 1"),
    ("version: 1\nresource: []", "line 2: resource: unknown key; did you mean resources?"),
    ("version: 1\nxyz: []", "line 2: xyz: unknown key"),
    ('version: 1\n"a\\nb": []', "line 2: 'a\\nb': unknown key"),
    (f"version: 1\n? {'x' * 5000}\n: []", f"line 2: '{'x' * 64}': unknown key"),
    ("version: 1\nresources: {}", "line 2: resources: expected a list"),
    ("version: 1\nresources:", "line 2: resources: expected a list"),
    ("version: 1\nresources:\n  - lake", "line 3: resources[0]: expected keys and values"),
    ("version: 1\nresources:\n  - owner: '1'", "line 3: resources[0].arn: it is missing"),
    (f"{ENTRY}polcy: x", "line 4: resources[0].polcy: unknown key; did you mean policy?"),
    (f"{ENTRY}owner: 123456789012", "line 4: resources[0].owner: expected twelve digits, in quotes"),
    (f"{ENTRY}owner: null", "line 4: resources[0].owner: expected twelve digits"),
    (f"{ENTRY}policy: null", "line 4: resources[0].policy: expected the path"),
    (f"{ENTRY}policy: {{}}", "line 4: resources[0].policy: expected the path"),
    (f"{ENTRY}policy: []", "line 4: resources[0].policy: expected the path"),
    (f"{ENTRY}policy: ''", "line 4: resources[0].policy: expected the path"),
    (f'{ENTRY}policy: "a\\nb"', "line 4: resources[0].policy: expected the path"),
    (f"{ENTRY}policy: p.json", "line 4: 'p.json' is not there"),
    (f"{ENTRY}public_access_block: null", "line 4: resources[0].public_access_block: expected all, none"),
    (f"{ENTRY}public_access_block: {{}}", "line 4: resources[0].public_access_block: expected all, none"),
    (f"{ENTRY}public_access_block: some", "line 4: resources[0].public_access_block: expected all, none"),
    (
        f"{ENTRY}public_access_block: {{block_public_acl: true}}",
        "line 4: resources[0].public_access_block.block_public_acl: unknown key; did you mean block_public_acls?",
    ),
    (f"{ENTRY}public_access_block: {{block_public_acls: 'true'}}", "block_public_acls: expected true or false"),
    (f"{ENTRY}public_access_block: {{block_public_acls: yes}}", "block_public_acls: expected true or false"),
    (f"version: 1\nresources:\n  - arn: {LAKE}", "line 3: resources[0]: expected owner, policy or public_access_block"),
    (f"version: 1\nresources:\n  - arn: {LAKE}/x\n    policy: p", "line 3: resources[0].arn: An object has no policy"),
    ("version: 1\nresources:\n  - arn: lake\n    policy: p", "line 3: resources[0].arn: Expected the ARN"),
    (
        f"version: 1\nresources:\n  - arn: {QUEUE}\n    policy: p\n    owner: '210000000001'",
        "line 3: resources[0]: it belongs to 123456789012, by its ARN",
    ),
    (
        f"version: 1\nresources:\n  - arn: {QUEUE}\n    policy: p\n    public_access_block: all",
        "line 3: resources[0]: public_access_block is for buckets and accounts",
    ),
    (
        f"version: 1\nresources:\n  - arn: {THING}\n    owner: '210000000001'",
        "line 3: resources[0]: the owner of a resource that is no bucket is kept with its policy",
    ),
    (
        f"{ENTRY}owner: '123456789012'\n  - arn: {LAKE}\n    public_access_block: all",
        f"line 5: {LAKE} stands there twice, and in line 3",
    ),
    ("version: 1\npublic_access_blocks: {'12': all}", "line 2: public_access_blocks.12: expected twelve digits"),
    ("version: 1\npublic_access_blocks: {123456789012: all}", "line 2: expected a key that is text"),
    ("version: 1\npublic_access_blocks: []", "line 2: public_access_blocks: expected keys and values"),
    (
        "version: 1\npublic_access_blocks:\n  '123456789012': {block_public_policies: true}",
        "unknown key; did you mean block_public_policy?",
    ),
    ("version: 1\nversion: 1", "line 2: a key is there twice"),
    ("version: 1\nresources: [", "line 2"),
]


@pytest.mark.parametrize(("text", "says"), REFUSED)
def test_what_cannot_be_meant_is_refused_with_its_line(text: str, says: str) -> None:
    assert says in refused(text)


def test_several_mistakes_are_told_at_once_and_not_too_many() -> None:
    one = "\n".join(f"  - arn: {LAKE}{number}\n    polcy: x" for number in range(PROBLEMS + 1))
    assert refused(f"version: 1\nresources:\n{one}").count("'f', line") == PROBLEMS


def test_as_many_resources_as_there_may_be_are_read_and_no_more() -> None:
    def text(number: int) -> str:
        entries = (f"{{'arn': '{LAKE}{one}', 'public_access_block': 'all'}}" for one in range(number))
        return f"version: 1\nresources: [{', '.join(entries)}]"

    assert len(read(text(RESOURCES)).wanted) == RESOURCES
    assert f"line 2: resources: expected at most {RESOURCES} entries" in refused(text(RESOURCES + 1))


# The schema that editors have


def accepted_by_editors(text: str) -> bool:
    value: Any = read_yaml(text, "f", json_only=True).value
    return bool(jsonschema.Draft202012Validator(json_schema()).is_valid(value))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize(
    "rest",
    [
        "owner: '123456789012'",
        "policy: p.json",
        "policy: {Version: 2012-10-17}",
        "public_access_block: all",
        "public_access_block: none",
        "public_access_block: {block_public_acls: true}",
        "owner: '123456789012'\npublic_access_blocks: {'123456789012': all}",
    ],
)
def test_what_is_read_is_right_to_editors(rest: str) -> None:
    assert read(f"{ENTRY}{rest}", {"p.json": "{}"}).wanted
    assert accepted_by_editors(f"{ENTRY}{rest}")


@pytest.mark.parametrize(
    "text",
    [
        "resources: []",
        "version: 2",
        "version: 1\nresource: []",
        f"{ENTRY}polcy: x",
        f"{ENTRY}owner: 123456789012",
        f"{ENTRY}owner: null",
        f"{ENTRY}policy: null",
        f"{ENTRY}public_access_block: null",
        f"{ENTRY}public_access_block: some",
        f"{ENTRY}public_access_block: {{block_public_acl: true}}",
        f"{ENTRY}public_access_block: {{block_public_acls: 'true'}}",
        "version: 1\npublic_access_blocks: {'12': all}",
    ],
)
def test_what_has_not_the_form_is_wrong_to_editors_too(text: str) -> None:
    refused(text)
    assert not accepted_by_editors(text)
