# SPDX-License-Identifier: Apache-2.0
"""``daypass serve``: every setting of docs/settings.md as a flag. Secrets are given by file or environment, not as flags."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from daypass.server.first_start import begin
from daypass.server.settings import load_settings, read_secret_file

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help="Serve STS and IAM. Every flag is also an environment variable: --data-dir is DAYPASS_DATA_DIR.")
def serve(
    listen: Annotated[str | None, typer.Option(help="Address of the AWS door. [default: 127.0.0.1:8450]")] = None,
    public_url: Annotated[str | None, typer.Option(help="The URL that clients use.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where the database and the keys live.")] = None,
    database_url: Annotated[
        str | None, typer.Option(help="sqlite:///PATH [default: daypass.db in the data directory]")
    ] = None,
    account_id: Annotated[str | None, typer.Option(help="Twelve digits; made up on the first start if absent.")] = None,
    root_access_key_id: Annotated[str | None, typer.Option(help="Made up on the first start if absent.")] = None,
    root_secret_access_key_file: Annotated[Path | None, typer.Option(help="A file of mode 0600.")] = None,
    master_key_file: Annotated[
        Path | None, typer.Option(help="A file of mode 0600: 32 bytes as base64 or hex.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes. [default: 1]")] = None,
    telemetry_listen: Annotated[
        str | None, typer.Option(help="Address of the health checks and metrics. [default: 127.0.0.1:8459]")
    ] = None,
    gateway_listen: Annotated[str | None, typer.Option(help="Address of the gateway; off if absent.")] = None,
    config: Annotated[Path | None, typer.Option(help="A YAML file: SAML providers, the gateway.")] = None,
    state: Annotated[Path | None, typer.Option(help="A state file, applied at start and watched.")] = None,
    trusted_proxies: Annotated[str | None, typer.Option(help="Networks whose X-Forwarded-For is believed.")] = None,
    allowed_issuer_networks: Annotated[
        str | None, typer.Option(help="Private networks in which providers may live.")
    ] = None,
    allow_loopback_http: Annotated[
        bool | None, typer.Option("--allow-loopback-http", help="Allow providers at http://127.0.0.1 (development).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say what is served where as one JSON object.")] = False,
) -> None:
    """Serve until stopped."""
    flags: dict[str, object] = {
        "listen": listen,
        "public_url": public_url,
        "data_dir": data_dir,
        "database_url": database_url,
        "account_id": account_id,
        "root_access_key_id": root_access_key_id,
        "root_secret_access_key": _from_file(root_secret_access_key_file),
        "master_key": _from_file(master_key_file),
        "workers": workers,
        "telemetry_listen": telemetry_listen,
        "gateway_listen": gateway_listen,
        "config": config,
        "state": state,
        "trusted_proxies": trusted_proxies,
        "allowed_issuer_networks": allowed_issuer_networks,
        "allow_loopback_http": allow_loopback_http,
    }
    settings = load_settings(flags, os.environ)
    if settings.config is not None:
        from daypass.server.configuration import read_configuration

        read_configuration(settings.config).check()  # what is wrong with it is said before anything listens
    first_start = begin(settings)
    from daypass.server.process import Served  # while the store is being prepared
    from daypass.server.process import serve as run

    def announce(served: Served) -> None:
        typer.echo(json.dumps(served.as_dict()) if as_json else "\n".join(served.lines()))

    run(settings, first_start, announce)


def _from_file(path: Path | None) -> str | None:
    return None if path is None else read_secret_file(path)
