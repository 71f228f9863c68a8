# SPDX-License-Identifier: Apache-2.0
"""
The settings of ``daypass serve``: environment variables ``DAYPASS_*``, the same as flags (docs/settings.md).

Every secret has a ``_FILE`` variant that names a file to read it from, and may be a credential of the service manager: the
file ``daypass-master-key`` of ``$CREDENTIALS_DIRECTORY`` (systemd.exec, LoadCredential=).
"""

from __future__ import annotations

import ipaddress
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from daypass.arn import is_account_id
from daypass.credentials import Secret
from daypass.errors import ConfigurationError, Reason

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SECRETS: Final = ("root_secret_access_key", "master_key")
CREDENTIALS_DIRECTORY: Final = "CREDENTIALS_DIRECTORY"
"""Where a service manager says that it has put secrets (https://systemd.io/CREDENTIALS/)."""


class Listen(BaseModel):
    """An address to listen on."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int = Field(ge=0, le=65_535)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _listen(value: object) -> object:
    if not isinstance(value, str):
        return value
    host, colon, port = value.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit():
        raise ValueError("expected host:port, as in 127.0.0.1:8450")
    return Listen(host=host.removeprefix("[").removesuffix("]"), port=int(port))


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(ipaddress.ip_network(part.strip()) for part in value.split(",") if part.strip())


def _secret(value: object) -> object:
    return Secret(value) if isinstance(value, str) else value


def _account_id(value: str) -> str:
    if not is_account_id(value):
        raise ValueError("expected twelve digits")
    return value


def _public_url(value: str | None) -> str | None:
    if value is not None and not value.startswith(("https://", "http://")):
        raise ValueError("expected a URL that begins with https:// or http://")
    return value if value is None else value.rstrip("/")


ListenSetting = Annotated[Listen, BeforeValidator(_listen), NoDecode]
NetworksSetting = Annotated[tuple[Network, ...], BeforeValidator(_networks), NoDecode]
SecretSetting = Annotated[Secret | None, BeforeValidator(_secret), NoDecode]


def default_data_dir() -> Path:
    """Where data lives unless told otherwise: ``$XDG_DATA_HOME/daypass``, or ``~/.local/share/daypass``."""
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "daypass"


class Settings(BaseSettings):
    """The settings, checked. Field names are the environment's, lower-case, without the prefix."""

    model_config = SettingsConfigDict(
        env_prefix="DAYPASS_", extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True
    )

    listen: ListenSetting = Listen(host="127.0.0.1", port=8450)
    telemetry_listen: ListenSetting = Listen(host="127.0.0.1", port=8459)
    public_url: Annotated[str | None, AfterValidator(_public_url)] = None
    data_dir: Path = Field(default_factory=default_data_dir)
    database_url: str | None = None
    account_id: Annotated[str | None, AfterValidator(lambda value: value if value is None else _account_id(value))] = (
        None
    )
    root_access_key_id: str | None = None
    root_secret_access_key: SecretSetting = None
    master_key: SecretSetting = None
    workers: int = Field(default=1, ge=1, le=256)
    trusted_proxies: NetworksSetting = ()
    allowed_issuer_networks: NetworksSetting = ()
    allow_loopback_http: bool = False
    gateway_listen: Annotated[Listen | None, BeforeValidator(_listen), NoDecode] = None
    config: Path | None = None
    state: Path | None = None

    @property
    def url(self) -> str:
        """The URL at which clients reach the AWS door, without a slash at its end."""
        return self.public_url or f"http://{self.listen}"

    def plain(self) -> dict[str, Any]:
        """Every setting as a plain value, secrets in clear, in the form that ``model_validate`` reads."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value.reveal() if isinstance(value, Secret) else value for name, value in values.items()}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the base class's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment; no .env file is picked up from wherever the process happens to start."""
        return init_settings, env_settings


def load_settings(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """
    The settings from flags (which win) and the environment.

    ``environment`` is read for the ``_FILE`` variants, the credential directory, and for misspelt names. Raises
    ConfigurationError that names the setting and says what was expected, never its value.
    """
    _refuse_unknown(environment)
    values = {name: value for name, value in flags.items() if value is not None}
    for name in SECRETS:
        if name not in values:
            found = _secret_from_file(name, environment)
            if found is not None:
                values[name] = found
    try:
        settings = Settings(**values)
    except ValidationError as error:
        problems = (_problem(found["loc"], found["msg"]) for found in error.errors())
        raise _invalid("; ".join(problems)) from None
    if (settings.root_access_key_id is None) != (settings.root_secret_access_key is None):
        raise _invalid("DAYPASS_ROOT_ACCESS_KEY_ID and DAYPASS_ROOT_SECRET_ACCESS_KEY go together")
    return settings


def _secret_from_file(name: str, environment: Mapping[str, str]) -> str | None:
    """A secret in a file that is named for it, or in the credential directory. Raises ConfigurationError for two of them."""
    variable = f"DAYPASS_{name.upper()}"
    places = [variable] if variable in environment else []
    named, directory = environment.get(f"{variable}_FILE"), environment.get(CREDENTIALS_DIRECTORY)
    if named:
        places.append(f"{variable}_FILE")
    credential = Path(directory) / credential_name(name) if directory else None
    if credential is not None and credential.exists():
        places.append(f"${CREDENTIALS_DIRECTORY}/{credential.name}")
    else:
        credential = None
    if len(places) > 1:
        raise _invalid(f"{' and '.join(places)} are both set; expected one")
    if named:
        return read_secret_file(Path(named))
    return None if credential is None else read_secret_file(credential, may_be_shared=True)


def credential_name(setting: str) -> str:
    """What a secret is called in the credential directory: ``daypass-master-key``."""
    return f"daypass-{setting.replace('_', '-')}"


def _problem(location: tuple[int | str, ...], message: str) -> str:
    return f"DAYPASS_{'_'.join(map(str, location[:1])).upper()}: {message.removeprefix('Value error, ')}"


def read_secret_file(path: Path, *, may_be_shared: bool = False) -> str:
    """
    The text of a file that only its owner may read. Raises ConfigurationError.

    ``may_be_shared``: a group may read it too. A credential of systemd is root's, and lets the service's user in by an access
    control list, which shows as the permission of a group (0440).
    """
    forbidden = stat.S_IRWXG | stat.S_IRWXO
    if may_be_shared:
        forbidden &= ~stat.S_IRGRP
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _invalid(f"cannot read {str(path)!r}: {type(error).__name__}") from None
    if mode & forbidden:
        raise _invalid(f"{str(path)!r} can be read by others; expected mode 0600 or 0400")
    if not text:
        raise _invalid(f"{str(path)!r} is empty")
    return text


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {f"DAYPASS_{name.upper()}" for name in Settings.model_fields}
    known |= {f"DAYPASS_{name.upper()}_FILE" for name in SECRETS}
    unknown = sorted(
        name
        for name in environment
        if name.startswith("DAYPASS_") and not name.startswith("DAYPASS_TEST_") and name not in known
    )
    if unknown:
        raise _invalid(f"unknown setting {unknown[0]}; docs/settings.md lists them")


def _invalid(message: str) -> ConfigurationError:
    return ConfigurationError(Reason.CONFIGURATION_INVALID, message)
