# SPDX-License-Identifier: Apache-2.0
"""
The reference pages, written from what the code says of itself: ``python docs/generate.py`` (``make docs``).

A test renders them again and compares, so a new reason, operation or setting cannot be left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from daypass.api.operations import ProofOperation, _sts
from daypass.api.table import IAM_ROWS
from daypass.api.wire_errors import WIRE_ERRORS
from daypass.awsapi.model import load_service
from daypass.errors import Reason
from daypass.federation import Fetcher, OidcIdentities
from daypass.server.settings import NOT_YET, SECRETS, Settings
from daypass.sessions import Sessions
from daypass.sts import Sts

DOCS = Path(__file__).parent

SETTINGS = {
    "listen": "Address of the AWS door.",
    "telemetry_listen": "Address of the health checks: `/livez`, `/readyz`, `/healthz`.",
    "public_url": "The URL that clients use, where it is not the address above.",
    "data_dir": "Where the database, the master key and the root credentials live; made with mode 0700.",
    "database_url": "`sqlite:///PATH`; `daypass.db` in the data directory if absent.",
    "account_id": "Twelve digits. Made up on the first start if absent; must be the store's afterwards.",
    "root_access_key_id": "The root access key, which replaces the stored one. Made up on the first start if absent.",
    "root_secret_access_key": "Its secret, at least 16 characters.",
    "master_key": "The key that wraps every stored secret: 32 bytes, base64 or 64 hexadecimal digits. Made up on the first "
    "start, in the file `master-key` of the data directory, if absent.",
    "workers": "Worker processes on one socket.",
    "trusted_proxies": "Networks, separated by commas, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    "allowed_issuer_networks": "Private networks, separated by commas, in which identity providers may live.",
    "allow_loopback_http": "Allow providers at `http://127.0.0.1` and `http://localhost`. For development.",
}


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
    sts = {row.name: row for row in _sts(Sts(Sessions(()), OidcIdentities(Fetcher().get)))}
    offered = {"sts": set(sts), "iam": {row.name for row in IAM_ROWS}}
    yield "# Operations\n"
    yield "What is offered of the two services, by the AWS models that botocore ships. An operation that is not offered is"
    yield "answered with `NotImplemented`, and a parameter that is not, with `ValidationError` and its name."
    yield "Made by `make docs`.\n"
    for service, title in (("sts", "STS"), ("iam", "IAM")):
        every = sorted(load_service(service).operations)
        yield f"## {title}: {len(offered[service])} of {len(every)}\n"
        yield "| operation | offered | authorised by |"
        yield "|---|---|---|"
        for name in every:
            if name not in offered[service]:
                yield f"| {name} | no | |"
            elif service == "sts" and isinstance(sts[name], ProofOperation):
                yield f"| {name} | yes | the proof it brings, and the role's trust policy |"
            else:
                yield f"| {name} | yes | `{service}:{name}` |"
        yield ""


def settings_page() -> Iterator[str]:
    """docs/settings.md."""
    yield "# Settings\n"
    yield "Each is an environment variable of `daypass serve` and a flag (`DAYPASS_DATA_DIR`, `--data-dir`; flags win)."
    yield "A secret is given in the environment, or in a file of mode 0600 named by the variable with `_FILE` behind it or"
    yield "by the flag with `-file`. An unknown `DAYPASS_` variable stops the start. Made by `make docs`.\n"
    yield "| variable | default | what |"
    yield "|---|---|---|"
    for name, field in Settings.model_fields.items():
        variable = f"`DAYPASS_{name.upper()}`"
        if name in SECRETS:
            variable += f", `DAYPASS_{name.upper()}_FILE`"
        what = "Not supported yet: refused." if name in NOT_YET else SETTINGS[name]
        yield f"| {variable} | {_default(name, field.default)} | {what} |"


def _default(name: str, default: object) -> str:
    if name == "data_dir":
        return "`~/.local/share/daypass`"
    if default is None or default == ():
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


PAGES = {"errors.md": errors_page, "operations.md": operations_page, "settings.md": settings_page}


def render(name: str) -> str:
    """The text of a page."""
    return "\n".join(PAGES[name]()).rstrip("\n") + "\n"


if __name__ == "__main__":
    for page in PAGES:
        (DOCS / page).write_text(render(page), encoding="utf-8")
        sys.stdout.write(f"wrote {page}\n")
