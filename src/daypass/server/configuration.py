# SPDX-License-Identifier: Apache-2.0
"""
The configuration file (``DAYPASS_CONFIG``): YAML, for what does not fit into a setting (docs/settings.md).

    saml:
      accept_aws_names: true
      providers:
        arn:aws:iam::123456789012:saml-provider/Office: {allow_sha1: true, replay: aws}

A key that is not known, and a key that stands there twice, are refused: a rule that is misspelt is not a rule.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from daypass.errors import ConfigurationError, Reason
from daypass.federation.saml import ProviderRules, SamlRules
from daypass.server.gateway_configuration import GatewaySection
from daypass.store.audit_trail import Keep
from daypass.yamltext import read_file, read_yaml

MAX_BYTES: Final = 1024 * 1024
"""Of the file. One with rules for ten thousand providers has half of it."""

_PROVIDER_ARN: Final = re.compile(r"arn:aws:iam::[0-9]{12}:saml-provider/[\w._-]{1,128}", re.ASCII)


def _provider_arn(value: str) -> str:
    if _PROVIDER_ARN.fullmatch(value) is None:
        raise ValueError("expected the ARN of a SAML provider, as in arn:aws:iam::123456789012:saml-provider/NAME")
    return value


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class SamlProviderSection(_Section):
    """What one SAML provider is allowed beyond the rules for all."""

    allow_sha1: bool = Field(default=False, description="Take signatures and digests with SHA-1.")
    allow_small_rsa: bool = Field(default=False, description="Take RSA keys of less than 2,048 bits.")
    allow_cbc: bool = Field(default=False, description="Decrypt assertions that are encrypted with AES-CBC.")
    replay: Literal["strict", "aws"] = Field(
        default="strict", description="`strict`: an assertion can be used once. `aws`: until it expires, as with AWS."
    )


class SamlSection(_Section):
    """SAML federation."""

    accept_aws_names: bool = Field(
        default=False,
        description="Take assertions for AWS's audiences (`https://signin.aws.amazon.com/saml`, `urn:amazon:webservices`) "
        "and recipient beside our own, so that an identity provider that is set up for AWS works as it is.",
    )
    providers: dict[Annotated[str, AfterValidator(_provider_arn)], SamlProviderSection] = Field(
        default_factory=dict, description="By ARN: what one SAML provider is allowed beyond the rules for all."
    )


class AuditSection(_Section):
    """The audit trail: what of it is kept (docs/audit.md)."""

    keep_days: int = Field(
        default=90, ge=1, le=36_500, description="Days that records of the audit trail are kept (docs/audit.md)."
    )
    keep_bytes: int = Field(
        default=1 << 30,
        ge=1 << 20,
        le=1 << 50,
        description="Bytes of the audit trail that are kept at most, as it is stored; the oldest records go first.",
    )


class Configuration(_Section):
    """The whole file."""

    saml: SamlSection = SamlSection()
    audit: AuditSection = AuditSection()
    gateway: GatewaySection = GatewaySection()

    def check(self) -> None:
        """See to it that what the file names is there. Raises ConfigurationError."""
        self.gateway.made()
        if self.gateway.proxy_secret is not None:
            self.gateway.proxy_secret.read()
        if self.gateway.ext_authz is not None:
            self.gateway.ext_authz.check()

    @property
    def kept(self) -> Keep:
        """The section ``audit``, as the store wants it."""
        return Keep(self.audit.keep_days, self.audit.keep_bytes)

    @property
    def saml_rules(self) -> SamlRules:
        """The section ``saml``, as federation wants it."""
        rules = {arn: ProviderRules(**section.model_dump()) for arn, section in self.saml.providers.items()}
        return SamlRules(self.saml.accept_aws_names, rules)


def read_configuration(path: Path | None) -> Configuration:
    """
    The configuration in a file; the defaults where there is none. Raises ConfigurationError that says where what is wrong, and
    never quotes a value.
    """
    if path is None:
        return Configuration()
    name = f"DAYPASS_CONFIG: {str(path)!r}"
    found = read_yaml(read_file(path, name, MAX_BYTES), name).value
    if found is None:
        return Configuration()
    try:
        return Configuration.model_validate(found)
    except ValidationError as error:
        problems = "; ".join(
            f"{_place(one['loc'])}: {one['msg'].removeprefix('Value error, ')}" for one in error.errors()
        )
        raise ConfigurationError(Reason.CONFIGURATION_INVALID, f"{name}: {problems}") from None


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "the file"
