# SPDX-License-Identifier: Apache-2.0
"""
The reference pages, written from what the code says of itself: ``python docs/generate.py`` (``make docs``).

A test renders them again and compares, so a new reason, operation or setting cannot be left out.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from daypass.api.operations import ProofOperation, _sts
from daypass.api.table import IAM_ROWS
from daypass.api.wire_errors import WIRE_ERRORS
from daypass.awsapi.model import load_service
from daypass.errors import Reason
from daypass.federation import Fetcher, OidcIdentities
from daypass.gateway.actions.condition_keys import OF_PARAMETERS, UNDETERMINED
from daypass.gateway.actions.named import NAMED_SERVICES, NamedActions
from daypass.gateway.actions.s3.keys import ACTION_KEYS, EXISTING_TAG, EXISTING_TAG_ACTIONS
from daypass.gateway.actions.s3.needs import ALSO_NEEDED
from daypass.gateway.actions.s3.permissions import NOT_BEHIND_A_GATEWAY, Row
from daypass.gateway.actions.s3.permissions import ROWS as S3_ROWS
from daypass.gateway.actions.s3.reading import (
    ANY_OPERATION,
    ANY_OPERATION_FAMILIES,
    IN_THE_QUERY,
    OF_OTHER_SYSTEMS,
    PRESIGNED,
)
from daypass.gateway.actions.s3.routes import Route, load_routes
from daypass.server.configuration import Configuration
from daypass.server.gateway_configuration import SecretSource
from daypass.server.settings import SECRETS, Settings
from daypass.sessions import Sessions
from daypass.statefile import json_schema
from daypass.statefile.schema import StateSection
from daypass.sts import Sts

DOCS = Path(__file__).parent

SETTINGS = {
    "listen": "Address of the AWS door.",
    "telemetry_listen": "Address of the health checks, `/livez`, `/readyz` and `/healthz`, and of `/metrics` "
    "([metrics.md](metrics.md)).",
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
    "state": "A state file (docs/state-file.md), applied at start and whenever it has changed.",
    "gateway_listen": "Address of the gateway (docs/gateway.md), with a port of its own; off if absent.",
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
        yield f"| {variable} | {_default(name, field.default)} | {SETTINGS[name]} |"
    yield from _configuration_file()


CONFIGURATION_EXAMPLE = """\
```yaml
saml:
  accept_aws_names: true
  providers:
    arn:aws:iam::123456789012:saml-provider/Office:
      allow_sha1: true
      replay: aws
gateway:                               # docs/gateway.md
  backends:
    - name: lake
      service: s3
      match: {host: s3.example.org}
      upstream: http://127.0.0.1:9000
      region: us-east-1
      account: "123456789012"
      sign_as: {access_key_id: backend-key, secret_access_key: {file: /run/secrets/lake}}
```
"""


def _configuration_file() -> Iterator[str]:
    yield "\n## The configuration file\n"
    yield "`DAYPASS_CONFIG` names a YAML file. It is read when the process starts. A key that is not known, a key that stands"
    yield "there twice, and a value that cannot be meant stop the start.\n"
    yield CONFIGURATION_EXAMPLE
    yield "| key | default | what |"
    yield "|---|---|---|"
    yield from _section("", Configuration)


def _section(prefix: str, section: type[BaseModel]) -> Iterator[str]:
    """The keys of a section of the configuration file, and of the sections in it."""
    for name, field in section.model_fields.items():
        inner = [kind for kind in (field.annotation, *get_args(field.annotation)) if _is_section(kind)]
        inner += [kind for one in get_args(field.annotation) for kind in get_args(one) if _is_section(kind)]
        if field.description is not None:
            absent = inner or field.default in (None, PydanticUndefined)
            yield f"| `{prefix}{name}` | {'' if absent else f'`{str(field.default).lower()}`'} | {field.description} |"
        for kind in inner:
            if kind is not SecretSource:
                yield from _section(f"{prefix}{name}{_between(field.annotation, kind)}", kind)


def _between(annotation: object, kind: type[BaseModel]) -> str:
    """What stands between the key of a section and the keys in it: the section itself, one of several by ARN, or of a list."""
    if annotation is kind or (type(None) in get_args(annotation) and kind in get_args(annotation)):
        return "."
    return ".ARN." if get_origin(annotation) is dict else "[]."


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


def s3_actions_page() -> Iterator[str]:
    """docs/s3-actions.md, from the tables of the package ``daypass.gateway.actions.s3``."""
    yield "# Actions of S3\n"
    yield "What the gateway makes of a request for S3: which operation it is, and which permissions that needs. A request is"
    yield "one operation or it is refused: its path, the parameters that select an operation, and `x-amz-copy-source` must"
    yield "be those of exactly one operation of the model that botocore ships, and every other parameter and `x-amz-*` header"
    yield "must be that operation's own. Made by `make docs`.\n"
    yield "Actions are on the object or the bucket that the path names. With `versionId` an operation needs the actions behind"
    yield "the bar. Permissions of KMS are not asked for: the keys are the backend's.\n"
    yield "| operation | request | actions | resource |"
    yield "|---|---|---|---|"
    routes = {one.name: one for choice in load_routes().values() for one in choice.routes.values()}
    for name, row in sorted(S3_ROWS.items()):
        request, resource = _s3_request(routes[name]), _s3_resource(routes[name], row)
        yield f"| {name} | {request} | {_s3_actions(name, row)} | {resource} |"
    yield "\n## What else they need\n"
    yield "| operation | also needs | when |"
    yield "|---|---|---|"
    for name, rows in sorted(ALSO_NEEDED.items()):
        for action in dict.fromkeys(action for action, _ in rows):
            when = "; ".join(words for other, words in rows if other == action)
            yield f"| {name} | `{action}` | {when} |"
    yield "\nA copy takes the tags of its source with it unless it says `x-amz-tagging-directive: REPLACE`, so it needs to read"
    yield "and to put them; S3 itself asks for that only when the source has tags."
    yield "\n## Condition keys\n"
    yield "Every action has `s3:authType`, `s3:signatureversion`, `s3:signatureAge` and `s3:x-amz-content-sha256`. A key"
    yield "whose header, parameter or element the request has not is absent. Tags of an object that exists"
    yield f"(`{EXISTING_TAG}KEY`) are looked up at the backend.\n"
    yield "| action | keys |"
    yield "|---|---|"
    for action in sorted({*ACTION_KEYS, *EXISTING_TAG_ACTIONS}):
        yield f"| `{action}` | {_s3_keys(action)} |"
    yield "\n## Refused by name\n"
    yield "| operation | why |"
    yield "|---|---|"
    for name, why in sorted(NOT_BEHIND_A_GATEWAY.why.items()):
        yield f"| {name} | {why} |"
    yield "\nSo is a POST of an HTML form to a bucket, and a restore that selects (`SelectParameters`, `OutputLocation`)."
    yield "\n## Headers and parameters of every operation\n"
    yield f"Headers: {_s3_names(ANY_OPERATION)}, and those that start with {_s3_names(ANY_OPERATION_FAMILIES)}.\n"
    yield f"Parameters: those of a presigned URL, {_s3_names(PRESIGNED)}; `x-id` if it names the operation; and"
    yield f"headers that SDKs move to the query, if they start with {_s3_names(IN_THE_QUERY)}.\n"
    yield f"Refused with every operation: headers that start with {_s3_names(OF_OTHER_SYSTEMS)}, which"
    yield "tell some stores to do something else.\n"


def _s3_names(names: Iterable[bytes]) -> str:
    return ", ".join(f"`{name.decode()}`" for name in sorted(names))


def _s3_request(route: Route) -> str:
    path = {"service": "/", "bucket": "/bucket", "object": "/bucket/key"}[route.target]
    selecting = [name.decode() + (f"={value.decode()}" if value else "") for name, value in route.markers.items()]
    selecting += sorted(f"{name.decode()}=..." for name in route.required)
    query = f"?{'&'.join(selecting)}" if selecting else ""
    return f"`{route.method} {path}{query}`" + (" with `x-amz-copy-source`" if route.copies else "")


def _s3_actions(name: str, row: Row) -> str:
    if not row.actions:
        return "see below"
    text = ", ".join(f"`{action}`" for action in row.actions)
    if row.versioned != row.actions:
        text += " / " + ", ".join(f"`{action}`" for action in row.versioned)
    return text + (" and see below" if name in ALSO_NEEDED else "")


def _s3_resource(route: Route, row: Row) -> str:
    if not row.actions:
        return "`arn:aws:s3:::bucket/key` of each"
    targets = {"service": "arn:aws:s3:::*", "bucket": "arn:aws:s3:::bucket", "object": "arn:aws:s3:::bucket/key"}
    return f"`{targets[route.target]}`"


def _s3_keys(action: str) -> str:
    keys = {*ACTION_KEYS.get(action, ())} | ({EXISTING_TAG} if action in EXISTING_TAG_ACTIONS else set())
    return ", ".join(f"`{key}{'KEY' if key.endswith('/') else ''}`" for key in sorted(keys))


def action_maps_page() -> Iterator[str]:
    """docs/action-maps.md: docs/action-maps.in.md, and what the tables of the named services say."""
    yield (DOCS / "action-maps.in.md").read_text(encoding="utf-8")
    for service in NAMED_SERVICES:
        actions = NamedActions(service)
        yield f"### {service}\n"
        for words, operations in (
            ("On what the request names", actions.with_resource),
            ("On `*`, for AWS's reference has no resource type for the action", actions.without_resource),
            ("Refused by name", actions.refused),
        ):
            yield f"{words}: {', '.join(operations) or 'none'}.\n"
        keys = [f"`{key}` (`{OF_PARAMETERS[key]}`)" for key in actions.condition_keys.of_parameters]
        if keys:
            yield f"Condition keys from parameters: {', '.join(keys)}.\n"
        if actions.condition_keys.undetermined:
            undetermined = ", ".join(f"`{key}`" for key in actions.condition_keys.undetermined)
            yield f"Condition keys that are `{UNDETERMINED[0]}`: {undetermined}.\n"


def state_file_page() -> Iterator[str]:
    """docs/state-file.md: docs/state-file.in.md, and the keys."""
    yield (DOCS / "state-file.in.md").read_text(encoding="utf-8")
    yield "| key | default | what |"
    yield "|---|---|---|"
    yield from _section("", StateSection)


def state_file_schema() -> Iterator[str]:
    """docs/state-file.schema.json."""
    yield json.dumps(json_schema(), indent=2)


PAGES = {
    "action-maps.md": action_maps_page,
    "errors.md": errors_page,
    "s3-actions.md": s3_actions_page,
    "sts-parameters.md": sts_parameters_page,
    "operations.md": operations_page,
    "settings.md": settings_page,
    "state-file.md": state_file_page,
    "state-file.schema.json": state_file_schema,
    "terraform.md": terraform_page,
}


def render(name: str) -> str:
    """The text of a page."""
    return "\n".join(PAGES[name]()).rstrip("\n") + "\n"


if __name__ == "__main__":
    for page in PAGES:
        (DOCS / page).write_text(render(page), encoding="utf-8")
        sys.stdout.write(f"wrote {page}\n")
