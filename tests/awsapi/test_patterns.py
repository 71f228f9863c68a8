# SPDX-License-Identifier: Apache-2.0
"""AWS's patterns mean in Python what they mean in Java, and are linear; unknown constructs are refused."""

from __future__ import annotations

import sys
import time
import unicodedata

import pytest

from daypass.awsapi.model import Shape, load_service
from daypass.awsapi.patterns import compiled


def patterns_within(shape: Shape) -> set[str]:
    """The patterns of a shape and of all shapes in it."""
    found = {shape.pattern} if shape.pattern is not None else set()
    for place in (*shape.members.values(), shape.element, shape.key, shape.value):
        if place is not None:
            found |= patterns_within(place.shape)
    return found


PATTERNS = sorted(
    {
        pattern
        for service in (load_service("sts"), load_service("iam"))
        for operation in service.operations.values()
        for shape in (operation.input_shape, operation.output_shape)
        if shape is not None
        for pattern in patterns_within(shape)
    }
)
TAG_KEY = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+"
ARN = r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+"


def test_the_models_have_the_patterns_that_the_tests_below_speak_of() -> None:
    assert len(PATTERNS) >= 40
    assert {TAG_KEY, ARN, r"[\w+=,.@-]+", r"\d{12}"} <= set(PATTERNS)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_of_both_models_is_translated(pattern: str) -> None:
    assert compiled(pattern).fullmatch("\0") is None


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(
    "text",
    [start + unit * 50_000 for start, unit in [("", "a"), ("", "/"), ("", "/a"), ("", "a-"), ("", "1"), ("v1.", "-")]]
    + ["http://" + "a" * 100_000, "http://a?" + "=" * 100_000],
    ids=["letters", "slashes", "path", "hyphens", "digits", "version", "URL", "query"],
)
def test_every_pattern_is_linear_on_hostile_text(pattern: str, text: str) -> None:
    started = time.process_time()
    assert compiled(pattern).fullmatch(text + "\0") is None
    assert time.process_time() - started < 0.5


def test_the_unicode_categories_are_exact_for_every_character() -> None:
    pattern = compiled(TAG_KEY)
    for code in range(sys.maxunicode + 1):
        mark = chr(code)
        allowed = mark in "_.:/=+-@" or unicodedata.category(mark)[0] in "LZN"
        if (pattern.fullmatch(mark) is not None) is not allowed:
            pytest.fail(f"U+{code:04X}, {unicodedata.category(mark)}")


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"[\w+=,.@-]+", "Dev-1_x", True),
        (r"[\w+=,.@-]+", "Dév", False),
        (r"[\w+=,.@-]+", "１", False),
        (r"[\w+=,.@-]+", "Dev\n", False),
        (r"\d{12}", "123456789012", True),
        (r"\d{12}", "12345678901", False),
        (r"\d{12}", "１２３４５６７８９０１２", False),
        (TAG_KEY, "équipe 1/東京\u3000", True),
        (TAG_KEY, "a#b", False),
        (TAG_KEY, "a\tb", False),
        (ARN, "arn:🔑", True),
        (ARN, "arn:\x85", True),
        (ARN, "arn:\x7f", False),
        (ARN, "arn:\x80", False),
        (ARN, "arn:\ufffe", False),
        (r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/", True),
        (r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/team/", True),
        (r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/team", False),
        (r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "my-alias", True),
        (r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "my--alias", False),
        (r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "my-alias\n", False),
    ],
)
def test_a_pattern_is_for_the_whole_text_and_its_classes_are_javas(pattern: str, text: str, matches: bool) -> None:
    assert pattern in PATTERNS
    assert (compiled(pattern).fullmatch(text) is not None) is matches


@pytest.mark.parametrize(
    "pattern",
    [".*", "a++", "a*+", "a{2}+", r"\p{Alpha}", r"[\p{L}]", r"[\p{L}\p{N}]", r"[\p{L}_]", r"\p{L}", r"\bword", r"\s+",
     "[a-z&&[^b]]", "[a[b]]", "(?i)a", "(?<name>a)", "(?>a)", r"\Qa\E", r"[\s]", r"\x41", "[a", r"[^\W]"],
)  # fmt: skip
def test_a_construct_without_an_exact_translation_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="not translated"):
        compiled(pattern)
