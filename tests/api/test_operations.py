# SPDX-License-Identifier: Apache-2.0
"""The condition keys that operations add: absent, never empty (IAM User Guide, aws:TagKeys)."""

from __future__ import annotations

import pytest

from daypass.api.operations import _keys_of

TAGS = [{"Key": "Team", "Value": "red"}]


@pytest.mark.parametrize(
    ("name", "parameters", "keys"),
    [
        ("UntagRole", {"TagKeys": ["Team", "Cost"]}, {"aws:tagkeys": ("Team", "Cost")}),
        ("UntagRole", {"TagKeys": []}, {}),
        ("TagRole", {"Tags": TAGS}, {"aws:requesttag/team": "red", "aws:tagkeys": ("Team",)}),
        ("TagRole", {"Tags": []}, {}),
        ("CreateRole", {}, {}),
        ("GetRole", {}, {}),
    ],
)
def test_tags_that_a_request_passes_are_keys_and_no_tags_are_no_keys(
    name: str, parameters: dict[str, object], keys: dict[str, object]
) -> None:
    assert _keys_of(name)(parameters) == keys
