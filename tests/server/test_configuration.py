# SPDX-License-Identifier: Apache-2.0
"""The configuration file: what it says is what counts, and what cannot count is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from daypass.errors import ConfigurationError, Reason
from daypass.federation.saml import ProviderRules, SamlRules
from daypass.server.configuration import MAX_BYTES, read_configuration
from daypass.store.audit_trail import Keep
from in_process import service

OFFICE = "arn:aws:iam::123456789012:saml-provider/Office"
WHOLE = f"""
saml:
  accept_aws_names: true
  providers:
    {OFFICE}: {{allow_sha1: true, allow_small_rsa: true, allow_cbc: true, replay: aws}}
    arn:aws:iam::123456789012:saml-provider/Other: {{}}
"""


def read(tmp_path: Path, text: str | bytes) -> SamlRules:
    path = tmp_path / "daypass.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_configuration(path).saml_rules


def test_the_file_says_what_providers_are_allowed(tmp_path: Path) -> None:
    other = OFFICE.replace("Office", "Other")
    rules = {OFFICE: ProviderRules(True, True, True, "aws"), other: ProviderRules()}
    assert read(tmp_path, WHOLE) == SamlRules(True, rules)


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "saml: {}"])
def test_what_the_file_does_not_say_is_as_without_one(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == read_configuration(None).saml_rules == SamlRules()
    assert ProviderRules() == ProviderRules(False, False, False, "strict")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sml: {}", "sml: Extra inputs are not permitted"),
        ("saml: {accept_aws_name: true}", "saml.accept_aws_name"),
        (f"saml: {{providers: {{'{OFFICE}': {{allow_md5: true}}}}}}", f"saml.providers.{OFFICE}.allow_md5"),
        (f"saml: {{providers: {{'{OFFICE}': {{replay: never}}}}}}", "'strict' or 'aws'"),
        (f"saml: {{providers: {{'{OFFICE}': {{allow_sha1: 'yes'}}}}}}", "valid boolean"),
        (f"saml: {{providers: {{'{OFFICE}': null}}}}", "saml.providers"),
        ("saml: {providers: {Office: {}}}", "expected the ARN of a SAML provider"),
        ("saml: {providers: {'arn:aws:iam::1:saml-provider/x': {}}}", "expected the ARN of a SAML provider"),
        ("saml: {accept_aws_names: 1}", "valid boolean"),
        ("saml: {accept_aws_names: true, accept_aws_names: false}", "a key is there twice"),
        ("saml: {}\nsaml: {}\n", "a key is there twice"),
        ("a: &x {}\nsaml: *x\n", "aliases are not supported"),
        ("saml: !!python/object:os.system {}", "not YAML as expected in line 1"),
        ("saml: {", "not YAML as expected"),
        ("- saml", "the file: Input should be a valid dictionary"),
        ("? [a]\n: b", "a key is there twice"),
        (b"\xff\xfe", "UnicodeDecodeError"),
        ("saml: \x07", "not YAML"),
        ("#" * (MAX_BYTES + 1), "longer than"),
    ],
)
def test_what_cannot_count_is_refused_and_named(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(tmp_path, text)
    assert refused.value.reason is Reason.CONFIGURATION_INVALID
    assert says in str(refused.value)
    assert str(refused.value).startswith("DAYPASS_CONFIG: ")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="FileNotFoundError"):
        read_configuration(tmp_path / "absent.yaml")


async def test_a_service_does_not_start_with_a_file_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "daypass.yaml"
    path.write_text("saml: {accept_aws_names: perhaps}")
    with pytest.raises(ConfigurationError):
        async with service(tmp_path / "data", config=path):
            raise AssertionError("it started")


def test_what_of_the_audit_trail_is_kept_is_as_the_file_says_or_ninety_days_and_a_gibibyte(tmp_path: Path) -> None:
    path = tmp_path / "daypass.yaml"
    path.write_text("audit: {keep_days: 400, keep_bytes: 10485760}")
    assert read_configuration(path).kept == Keep(400, 10_485_760)
    assert read_configuration(None).kept == Keep() == Keep(90, 1 << 30)


@pytest.mark.parametrize(
    ("section", "accepted"),
    [
        ("keep_days: 1", True),
        ("keep_days: 0", False),
        ("keep_days: 36500", True),
        ("keep_days: 36501", False),
        ("keep_bytes: 1048576", True),
        ("keep_bytes: 1048575", False),
        ("keep_days: 1.5", False),
        ("enabled: false", False),
    ],
)
def test_what_is_kept_has_bounds_and_the_trail_cannot_be_switched_off(
    tmp_path: Path, section: str, accepted: bool
) -> None:
    path = tmp_path / "daypass.yaml"
    path.write_text(f"audit: {{{section}}}")
    if accepted:
        name, _, value = section.partition(": ")
        assert getattr(read_configuration(path).audit, name) == int(value)
        return
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(path)
    assert refused.value.reason is Reason.CONFIGURATION_INVALID
