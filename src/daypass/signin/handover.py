# SPDX-License-Identifier: Apache-2.0
"""
Temporary credentials in the forms in which people take them: a shell, PowerShell, the AWS files, single values.

The SDKs send requests to AWS unless told otherwise, so each form also says where STS and IAM are
(AWS SDKs and Tools Reference Guide, "Service-specific endpoints"). Other services are left as they are.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Block:
    """One form: the id of its element, its title, and the text to copy."""

    name: str
    title: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Handover:
    """What is handed over: the Credentials of an AssumeRole* answer, whose role it is, and the URL of this service."""

    credentials: Mapping[str, Any] = field(repr=False)
    account: str
    role: str
    url: str

    @property
    def profile(self) -> str:
        """The name of the profile, in the form of AWS's access portal."""
        return f"{self.account}_{self.role}"

    def blocks(self) -> tuple[Block, ...]:
        """Every form, the most used first."""
        variables = self._variables()
        shell = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())
        power = "\n".join(f"$Env:{name} = {_power_shell(value)}" for name, value in variables.items())
        return (
            Block("sh", "Linux and macOS shells", shell),
            Block("powershell", "PowerShell", power),
            Block("credentials-file", "AWS credentials file (~/.aws/credentials)", self._credentials_file()),
            Block("config-file", "AWS config file (~/.aws/config), once", self._config_file()),
            Block("access-key-id", "Access key id", self.credentials["AccessKeyId"]),
            Block("secret-access-key", "Secret access key", self.credentials["SecretAccessKey"]),
            Block("session-token", "Session token", self.credentials["SessionToken"]),
        )

    def check(self) -> str:
        """A command that shows whose credentials a shell has."""
        return f"aws sts get-caller-identity --endpoint-url {shlex.quote(self.url)}"

    def _variables(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": self.credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self.credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": self.credentials["SessionToken"],
            "AWS_ENDPOINT_URL_STS": self.url,
            "AWS_ENDPOINT_URL_IAM": self.url,
        }

    def _credentials_file(self) -> str:
        return (
            f"[{self.profile}]\n"
            f"aws_access_key_id = {self.credentials['AccessKeyId']}\n"
            f"aws_secret_access_key = {self.credentials['SecretAccessKey']}\n"
            f"aws_session_token = {self.credentials['SessionToken']}"
        )

    def _config_file(self) -> str:
        return (
            f"[profile {self.profile}]\nservices = daypass\n\n[services daypass]\n"
            f"sts =\n  endpoint_url = {self.url}\niam =\n  endpoint_url = {self.url}"
        )


def _power_shell(text: str) -> str:
    """A verbatim string of PowerShell (about_Quoting_Rules); typographic quotation marks count as quotes there, too."""
    quoted = "".join(character * 2 if character in "'\u2018\u2019\u201a\u201b" else character for character in text)
    return f"'{quoted}'"
