# SPDX-License-Identifier: Apache-2.0
"""
The reference pages, written from what the code says of itself: ``python docs/generate.py`` (``make docs``).

A test renders them again and compares, so a new reason, operation or setting cannot be left out.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard, cast, get_args

from pydantic import BaseModel

from daypass.api.operations import ProofOperation, _sts
from daypass.api.table import IAM_ROWS
from daypass.api.wire_errors import WIRE_ERRORS
from daypass.awsapi.model import load_service
from daypass.errors import Reason
from daypass.federation import Fetcher, OidcIdentities
from daypass.server.configuration import Configuration
from daypass.server.settings import NOT_YET, SECRETS, Settings
from daypass.sessions import Sessions
from daypass.sts import Sts

DOCS = Path(__file__).parent

SETTINGS = {
    "listen": "Address of the AWS door.",
    "telemetry_listen": "Address of the health checks: `/livez`, `/readyz`, `/healthz`.",
    "public_url": "The URL that clients use, where it is not the address above. Issuers of web identity tokens are below it: "
    "keep it.",
    "data_dir": "Where the database, the master key and the root credentials live; made with mode 0700. Managed "
    "policies of the account `aws` may be added in its directory `managed-policies`.",
    "database_url": "`sqlite:///PATH`; `daypass.db` in the data directory if absent.",
    "account_id": "Twelve digits. Made up on the first start if absent; must be one of the store's afterwards.",
    "root_access_key_id": "The root access key, which replaces the stored one. Made up on the first start if absent.",
    "root_secret_access_key": "Its secret, at least 16 characters.",
    "master_key": "The key that wraps every stored secret: 32 bytes, base64 or 64 hexadecimal digits. Made up on the first "
    "start, in the file `master-key` of the data directory, if absent. Or a credential of systemd, `daypass-master-key`.",
    "workers": "Worker processes on one socket.",
    "trusted_proxies": "Networks, separated by commas, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    "allowed_issuer_networks": "Private networks, separated by commas, in which identity providers may live.",
    "config": "A YAML file; see below.",
    "allow_loopback_http": "Allow providers at `http://127.0.0.1` and `http://localhost`. For development.",
}


IAM_RESOURCES = {
    "SAML providers": "SAML",
    "OpenID Connect providers": "OpenIDConnect",
    "MFA devices": "MFADevice",
    "Instance profiles": "InstanceProfile",
    "Service-linked roles": "ServiceLinkedRole",
    "Role templates": "AcquireRole|RoleTemplate",
    "Organisations": "Organizations",
    "Outbound web identity federation": "OutboundWebIdentity",
    "Delegation requests": "Delegation|HumanReadable",
    "Server certificates": "ServerCertificate",
    "Signing certificates": "SigningCertificate",
    "SSH public keys": "SSHPublicKey",
    "Service-specific credentials": "ServiceSpecificCredential",
    "Access keys": "AccessKey",
    "Passwords": "Password|LoginProfile",
    "Reports": "CredentialReport|ServiceLastAccessed|PoliciesGranting",
    "Policy simulation": "Simulate|ContextKeys",
    "Accounts": "Account|SecurityTokenService",
    "Permissions boundaries": "PermissionsBoundary",
    "Attachments": "^Attach|^Detach|^ListAttached|EntitiesForPolicy",
    "Inline policies": "^(Put|Get|Delete|List)(User|Group|Role)Polic",
    "Managed policies": "^(?!UpdateAssumeRole).*Polic",
    "Groups": "Group",
    "Users": "User",
    "Roles": "Role",
}
"""What an operation of IAM acts on: the first whose pattern is in its name."""

SHOWN_ORDER = (
    *("Users", "Groups", "Roles", "Managed policies", "Inline policies", "Attachments", "Permissions boundaries"),
    *(
        "Access keys",
        "Passwords",
        "MFA devices",
        "SSH public keys",
        "Signing certificates",
        "Service-specific credentials",
    ),
    *("OpenID Connect providers", "SAML providers", "Outbound web identity federation"),
    *("Instance profiles", "Server certificates", "Service-linked roles", "Role templates", "Delegation requests"),
    *("Policy simulation", "Reports", "Accounts", "Organisations"),
)

WHY_NOT = {
    "GetDelegatedAccessToken": "to come, with the tokens of delegation requests",
    "Organisations": "a feature of AWS Organizations: root access and reports across member accounts",
}
"""Why operations are not offered, by name or by what they act on; whoever takes a row away says so here."""

OPERATION_NOTES = {
    "AcquireRole": "answers `NoSuchEntity`: no service of AWS is here to own a template",
    "GetRoleTemplateVersion": "answers `NoSuchEntity`: no service of AWS is here to own a template",
    "EnableMFADevice": "virtual devices; also, with `UserName=root`, by the root user for itself",
    "GetMFADevice": "of virtual devices, where AWS's is of security keys only",
    "GetHumanReadableSummary": "answers that a summary is not supported",
    "SendDelegationToken": "leaves the token in `outbox` of the data directory; AWS publishes it to SNS",
}
"""What is offered in a narrower sense."""


def errors_page() -> Iterator[str]:
    """docs/errors.md."""
    yield "# Errors\n"
    yield "Every refusal has a reason. The reason is in the log, under `reason`, together with the request id that the client"
    yield "got; the client sees the code and the status. Made by `make docs`.\n"
    yield "| reason | code | status | from |"
    yield "|---|---|---|---|"
    for reason in Reason:
        wire = WIRE_ERRORS[reason]
        yield f"| `{reason.value}` | {wire.code} | {wire.status} | {reason.source} |"


def operations_page() -> Iterator[str]:
    """docs/operations.md."""
    # Only the names are read: nothing is fetched or issued.
    sts = {row.name: row for row in _sts(Sts(Sessions(()), OidcIdentities(Fetcher().get), *[cast(Any, None)] * 4))}
    iam = {row.name for row in IAM_ROWS}
    yield "# Operations\n"
    yield "What is offered of the two services, by the AWS models that botocore ships. An operation that is not offered is"
    yield "answered with `NotImplemented`, and a parameter that is not, with `ValidationError` and its name."
    yield "Made by `make docs`.\n"
    every = sorted(load_service("sts").operations)
    yield f"## STS: {len(sts)} of {len(every)}\n"
    yield from _operation_table(
        every, set(sts), "sts", {name for name, row in sts.items() if isinstance(row, ProofOperation)}
    )
    every = sorted(load_service("iam").operations)
    yield f"## IAM: {len(iam)} of {len(every)}\n"
    yield from _summary(every, iam)
    for title, names in _by_resource(every).items():
        offered = sum(name in iam for name in names)
        yield f"### {title}: {offered} of {len(names)}\n"
        yield from _operation_table(names, iam, "iam")


def _operation_table(
    names: Iterable[str], offered: Collection[str], service: str, proven: Collection[str] = ()
) -> Iterator[str]:
    yield "| operation | offered | authorised by, or why it is not offered |"
    yield "|---|---|---|"
    for name in names:
        if name not in offered:
            yield f"| {name} | no | {_why_not(name)} |"
        elif name in proven:
            yield f"| {name} | yes | the proof it brings, and the role's trust policy |"
        else:
            note = OPERATION_NOTES.get(name)
            yield f"| {name} | yes | `{service}:{name}`{'' if note is None else f'; {note}'} |"
    yield ""


def _summary(every: Iterable[str], offered: Collection[str]) -> Iterator[str]:
    yield "| resource | offered |"
    yield "|---|---|"
    for title, names in _by_resource(every).items():
        yield f"| {title} | {sum(name in offered for name in names)} of {len(names)} |"
    yield ""


def _by_resource(every: Iterable[str]) -> dict[str, list[str]]:
    """The operations of IAM by what they act on. Raises KeyError for one that acts on nothing we know."""
    found: dict[str, list[str]] = {title: [] for title in SHOWN_ORDER}
    for name in every:
        found[_resource_of(name)].append(name)
    return {title: names for title, names in found.items() if names}


def _resource_of(name: str) -> str:
    for title, pattern in IAM_RESOURCES.items():
        if re.search(pattern, name):
            return title
    raise KeyError(f"no resource of IAM_RESOURCES has the operation {name}")


def _why_not(name: str) -> str:
    """Why an operation is not offered. Raises KeyError when nobody has said so."""
    return WHY_NOT[name] if name in WHY_NOT else WHY_NOT[_resource_of(name)]


def settings_page() -> Iterator[str]:
    """docs/settings.md."""
    yield "# Settings\n"
    yield "Each is an environment variable of `daypass serve` and a flag (`DAYPASS_DATA_DIR`, `--data-dir`; flags win)."
    yield "A secret is given in the environment, or in a file of mode 0600 named by the variable with `_FILE` behind it or"
    yield "by the flag with `-file`, or as a credential of the service manager (`LoadCredential=daypass-master-key:PATH` in a"
    yield "systemd unit). One of them is given, not two. An unknown `DAYPASS_` variable stops the start. Made by `make docs`.\n"
    yield "| variable | default | what |"
    yield "|---|---|---|"
    for name, field in Settings.model_fields.items():
        variable = f"`DAYPASS_{name.upper()}`"
        if name in SECRETS:
            variable += f", `DAYPASS_{name.upper()}_FILE`"
        what = "Not supported yet: refused." if name in NOT_YET else SETTINGS[name]
        yield f"| {variable} | {_default(name, field.default)} | {what} |"
    yield from _configuration_file()


CONFIGURATION_EXAMPLE = """\
```yaml
saml:
  accept_aws_names: true
  providers:
    arn:aws:iam::123456789012:saml-provider/Office:
      allow_sha1: true
      replay: aws
```
"""


def _configuration_file() -> Iterator[str]:
    yield "\n## The configuration file\n"
    yield "`DAYPASS_CONFIG` names a YAML file. It is read when the process starts. A key that is not known, a key that stands"
    yield "there twice, and a section of a feature that is to come (`gateway`) stop the start.\n"
    yield CONFIGURATION_EXAMPLE
    yield "| key | default | what |"
    yield "|---|---|---|"
    yield from _section("", Configuration)


def _section(prefix: str, section: type[BaseModel]) -> Iterator[str]:
    """The keys of a section of the configuration file, and of the sections in it."""
    for name, field in section.model_fields.items():
        inner = [kind for kind in (field.annotation, *get_args(field.annotation)) if _is_section(kind)]
        if field.description is not None:
            default = "" if inner else f"`{str(field.default).lower()}`"
            yield f"| `{prefix}{name}` | {default} | {field.description} |"
        for kind in inner:
            yield from _section(f"{prefix}{name}.{'' if kind is field.annotation else 'ARN.'}", kind)


def _is_section(kind: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _default(name: str, default: object) -> str:
    if name == "data_dir":
        return "`~/.local/share/daypass`"
    if default is None or default == ():
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


TERRAFORM_STEPS = ("create", "read", "data", "update", "delete", "force")
PROVIDER_BLOCK = """\
```hcl
provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true

  # The access key comes from the environment, or from the root-credentials file of the data directory:
  # shared_credentials_files = ["~/.local/share/daypass/root-credentials"], profile = "daypass-root"
  endpoints {
    iam = "http://127.0.0.1:8450"
    sts = "http://127.0.0.1:8450"
  }
}
```
"""


def terraform_page() -> Iterator[str]:
    """docs/terraform.md, from docs/terraform-sequences.toml."""
    sequences = tomllib.loads((DOCS / "terraform-sequences.toml").read_text(encoding="utf-8"))
    offered = [kind for kind, found in sequences.items() if found.get("offered", True)]
    yield "# Terraform, OpenTofu, Pulumi\n"
    yield "The AWS provider works with two endpoints of its own:\n"
    yield PROVIDER_BLOCK
    yield "Below are the calls that it makes for each resource of IAM, in its order; Pulumi and Crossplane are built on the"
    yield "same code. `tests/journeys/test_terraform_sequences.py` replays them against a real server: each alone and all"
    yield "together, in several orders and ten at a time, with what the provider asserts of the answers. Terraform itself is"
    yield "not part of the tests. Made by `make docs` from `docs/terraform-sequences.toml`.\n"
    yield f"Offered: {', '.join(f'`{kind}`' for kind in offered if kind.startswith('aws_'))}.\n"
    missing = [f"`{kind}`" for kind in sequences if kind not in offered]
    if missing:
        yield f"Not yet: {', '.join(missing)}.\n"
    for kind, sequence in sequences.items():
        yield from _terraform_resource(kind, sequence)


def _terraform_resource(kind: str, sequence: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {kind}{'' if sequence.get('offered', True) else ' (not offered yet)'}\n"
    if "note" in sequence:
        yield f"{sequence['note']}\n"
    if "needs" in sequence:
        yield f"Needs {', '.join(f'`{need}`' for need in sequence['needs'])}.\n"
    yield "| step | calls |"
    yield "|---|---|"
    for step in TERRAFORM_STEPS:
        if sequence.get(step):
            yield f"| {step} | {'<br>'.join(map(_terraform_call, sequence[step]))} |"
    yield ""


def _terraform_call(call: Mapping[str, Any]) -> str:
    text = f"`{call['call']}`"
    if "with" in call:
        text += f" {', '.join(call['with'])}"
    if "each" in call:
        chosen = "".join(f" with {name} {str(value).lower()}" for name, value in call.get("where", {}).items())
        text += f", for each of `{call['each']}`{chosen}"
    if "until" in call:
        text += "".join(f", until {name} is {value}" for name, value in call["until"].items())
    return text + (f"; {' or '.join(call['may'])} is fine" if "may" in call else "")


def sts_parameters_page() -> Iterator[str]:
    """docs/sts-parameters.md, from docs/sts-parameters.toml."""
    table = tomllib.loads((DOCS / "sts-parameters.toml").read_text(encoding="utf-8"))
    yield "# Parameters of STS\n"
    yield "What becomes of every parameter of every operation in the model that botocore ships: it is enforced, and the test"
    yield "shows it; it is refused by name whatever its value; or its operation is not offered. Nothing is accepted and"
    yield "forgotten. Bad values of each are refused in `test_a_bad_value_of_a_parameter_is_refused_by_name`, a parameter that"
    yield "an operation has not in `test_a_parameter_that_the_operation_has_not_is_refused`. Made by `make docs` from"
    yield "`docs/sts-parameters.toml`.\n"
    for name, operation in sorted(load_service("sts").operations.items()):
        shape = operation.input_shape
        yield f"## {name}\n"
        if shape is None or not shape.members:
            yield "No parameters.\n"
            continue
        yield "| parameter | state | test |"
        yield "|---|---|---|"
        for member in shape.members:
            yield f"| {member}{' (required)' if member in shape.required else ''} | {_parameter_row(table, name, member)} |"
        yield ""


def _parameter_row(table: Mapping[str, Mapping[str, str]], operation: str, parameter: str) -> str:
    """The state of a parameter, and its test. Raises KeyError for one that the table has not."""
    if operation not in table:
        return "not offered |"
    state = table[operation][parameter]
    if state == "refused":
        return "refused | `test_a_bad_value_of_a_parameter_is_refused_by_name`"
    return f"enforced | `{state}`"


PAGES = {
    "errors.md": errors_page,
    "sts-parameters.md": sts_parameters_page,
    "operations.md": operations_page,
    "settings.md": settings_page,
    "terraform.md": terraform_page,
}


def render(name: str) -> str:
    """The text of a page."""
    return "\n".join(PAGES[name]()).rstrip("\n") + "\n"


if __name__ == "__main__":
    for page in PAGES:
        (DOCS / page).write_text(render(page), encoding="utf-8")
        sys.stdout.write(f"wrote {page}\n")
