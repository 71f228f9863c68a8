# SPDX-License-Identifier: Apache-2.0
"""
From the options of the command to a request and the policies that apply to it.

What cannot be understood is a ``QuestionError``, whose text is for whoever typed it. Condition keys that follow from the
principal, the resource and the clock are filled in, as the service does; ``--context`` adds to them and wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from daypass import arn
from daypass.access.context import principal_keys, resource_keys
from daypass.clock import iso8601
from daypass.errors import PolicyError
from daypass.identity import ContextValue
from daypass.policy import Context, Kind, Layers, Level, NamedPolicy, Request, compile_policy
from daypass.principal import Anonymous, FederatedCaller, Principal, RoleSession, Root, Service, User

SESSION_NAME: Final = "explain"
"""The session of a role that is given by its own ARN or by name."""

TRUST_ACTIONS: Final = frozenset(
    [
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
        "sts:setcontext",
        "sts:setsourceidentity",
        "sts:tagsession",
    ]
)
"""Actions on a role that its trust policy decides (IAM User Guide, "Role trust policy"), in lower case."""

_ACTION: Final = re.compile(r"[A-Za-z0-9.-]+:[^:*?\s]+")
_ENTITY: Final = re.compile(r"(user|role|oidc-provider|saml-provider)(/(?:.+/)?)([^/]+)", re.DOTALL)
_SESSION: Final = re.compile(r"assumed-role/([^/]+)/([^/]+)")
_SERVICE: Final = re.compile(r"[a-z0-9.-]+\.amazonaws\.com")
_HOST: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
COGNITO: Final = "cognito-identity.amazonaws.com"
"""A provider of identities, although its name looks like a service's."""


class QuestionError(Exception):
    """What was asked cannot be understood."""


@dataclass(frozen=True, slots=True)
class Files:
    """The documents that were given, by option. Each of ``scps`` and of ``rcps`` is one organisation level."""

    identity: Sequence[Path] = ()
    boundary: Path | None = None
    session: Sequence[Path] = ()
    resource: Path | None = None
    scps: Sequence[Path] = ()
    trust: Path | None = None
    rcps: Sequence[Path] = ()
    vpc_endpoint: Path | None = None

    @property
    def given(self) -> bool:
        """Whether there is any."""
        single = self.boundary, self.resource, self.trust, self.vpc_endpoint
        return any((self.identity, self.session, self.scps, self.rcps, *single))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the files: policies and tags, from the live store. Nothing, when only files are asked."""

    identity: tuple[NamedPolicy, ...] = ()
    boundary: NamedPolicy | None = None
    trust: NamedPolicy | None = None
    resource: NamedPolicy | None = None
    owner: str | None = None
    """Whom the resource is recorded to belong to."""
    principal_tags: tuple[tuple[str, str], ...] = ()
    resource_tags: tuple[tuple[str, str], ...] = ()
    scps: tuple[Level, ...] | None = None
    rcps: tuple[Level, ...] | None = None
    service_linked_role: bool = False
    organization: Mapping[str, ContextValue] = field(default_factory=dict)
    """The condition keys that say where the accounts of the caller and the resource belong."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be explained."""

    request: Request
    layers: Layers


def ask(
    *,
    principal: Principal,
    action: str,
    resource: str,
    resource_account: str | None,
    context: Iterable[str],
    files: Files,
    known: Known,
    now: float,
) -> Question:
    """The question that the options put. Raises QuestionError."""
    if _ACTION.fullmatch(action) is None:
        raise QuestionError(f"--action: expected service:Name without wildcards, got {action!r}")
    account = owner_of(resource, principal, resource_account or known.owner)
    values = _filled_in(principal, account, known, now)
    given = read_context(context)
    values = {key: value for key, value in values.items() if key not in given}
    request = Request(action, resource, account, principal, Context({**values, **given}))
    return Question(request, _layers(request, files, known))


def owner_of(resource: str, principal: Principal, given: str | None) -> str:
    """The account of a resource: the one given, the ARN's, or the principal's. Raises QuestionError."""
    if given is not None and not arn.is_account_id(given):
        raise QuestionError("--resource-account: expected twelve digits")
    in_arn = _parsed("--resource", resource).account if resource != "*" else ""
    account = given or (in_arn if arn.is_account_id(in_arn) else getattr(principal, "account", None))
    if account is None:
        raise QuestionError("--resource-account: expected, for neither resource nor principal has an account")
    return str(account)


def read_principal(text: str) -> Principal:
    """
    Who asks: the ARN of a user, role, role session, root user or identity provider; a service; ``anonymous``.

    Raises QuestionError. A role stands for one of its sessions.
    """
    if text == "anonymous":
        return Anonymous()
    if _SERVICE.fullmatch(text) and text != COGNITO:
        return Service(text)
    if _HOST.fullmatch(text):
        return FederatedCaller(text)
    parsed = _parsed("--principal", text)
    if arn.is_account_id(parsed.account) and not parsed.region:
        found = _iam(parsed, text) if parsed.service == "iam" else _sts(parsed) if parsed.service == "sts" else None
        if found is not None:
            return found
    raise QuestionError(
        "--principal: expected the ARN of a user, role, role session, root user or identity provider, a service"
        f" (s3.amazonaws.com), or anonymous; got {text!r}"
    )


def _iam(parsed: arn.Arn, text: str) -> Principal | None:
    if parsed.resource == "root":
        return Root(parsed.account)
    match = _ENTITY.fullmatch(parsed.resource)
    if match is None:
        return None
    kind, path, name = match.groups()
    if kind == "user":
        return User(parsed.account, path, name, "")
    if kind == "role":
        return RoleSession(parsed.account, path, name, "", SESSION_NAME)
    return FederatedCaller(text)


def _sts(parsed: arn.Arn) -> Principal | None:
    match = _SESSION.fullmatch(parsed.resource)
    return None if match is None else RoleSession(parsed.account, "/", match[1], "", match[2])


def _parsed(option: str, text: str) -> arn.Arn:
    try:
        return arn.Arn.parse(text)
    except ValueError as error:
        raise QuestionError(f"{option}: {error}, got {text!r}") from None


def read_context(entries: Iterable[str]) -> dict[str, ContextValue]:
    """
    Condition keys from ``key=value``; ``key=[a,b]`` is a list, and so is a key given more than once.

    Names become lower case. Raises QuestionError.
    """
    found: dict[str, ContextValue] = {}
    for entry in entries:
        name, equals, text = entry.partition("=")
        key = name.strip().lower()
        if not equals or not key:
            raise QuestionError(f"--context: expected key=value, got {entry!r}")
        value = _context_value(text)
        found[key] = (*_many(found[key]), *_many(value)) if key in found else value
    return found


def _context_value(text: str) -> ContextValue:
    if not (text.startswith("[") and text.endswith("]")):
        return text
    inner = text[1:-1].strip()
    return tuple(part.strip() for part in inner.split(",")) if inner else ()


def _many(value: ContextValue) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _filled_in(principal: Principal, account: str, known: Known, now: float) -> dict[str, ContextValue]:
    """The keys that the service would set whatever the request; those of the connection are not known here."""
    keys: dict[str, ContextValue] = {
        "aws:currenttime": iso8601(now),
        "aws:epochtime": str(int(now)),
        "aws:viaawsservice": "false",
    }
    if isinstance(principal, Root | User | RoleSession):
        keys.update(principal_keys(principal))
        if not getattr(principal, "unique_id", True) or not getattr(principal, "role_id", True):
            del keys["aws:userid"]  # a file does not say which unique id the caller has
    keys.update({f"aws:principaltag/{name.lower()}": value for name, value in known.principal_tags})
    keys.update(resource_keys(account, known.resource_tags, iam=True))
    keys.update(known.organization)
    return keys


def _layers(request: Request, files: Files, known: Known) -> Layers:
    if files.trust is not None and files.resource is not None:
        raise QuestionError("--trust and --resource-policy: expected one of them, for a resource has one policy")
    trust = known.trust if files.trust is None else _read(files.trust, Kind.TRUST)
    resource = known.resource if files.resource is None else _read(files.resource, Kind.RESOURCE)
    needs_trust = trust is not None or request.action.lower() in TRUST_ACTIONS or _is_key(request, resource)
    return Layers(
        identity=(*known.identity, *_read_all(files.identity, Kind.IDENTITY)),
        boundary=known.boundary if files.boundary is None else _read(files.boundary, Kind.BOUNDARY),
        session=_read_all(files.session, Kind.SESSION) or None,
        resource=resource if resource is not None else trust,
        scps=_levels(files.scps, Kind.SCP) or known.scps,
        rcps=_levels(files.rcps, Kind.RCP) or known.rcps,
        vpc_endpoint=None if files.vpc_endpoint is None else _read(files.vpc_endpoint, Kind.VPC_ENDPOINT),
        explicit_trust_required=needs_trust,
        service_linked_role=known.service_linked_role,
    )


def _levels(paths: Sequence[Path], kind: Kind) -> tuple[Level, ...] | None:
    return tuple(Level(policy.name, (policy,)) for policy in _read_all(paths, kind)) or None


def _is_key(request: Request, policy: NamedPolicy | None) -> bool:
    """A KMS key's policy must name the caller or its account (AWS KMS Developer Guide, "Key policies")."""
    return policy is not None and request.resource.startswith("arn:aws:kms:") and ":key/" in request.resource


def _read_all(paths: Sequence[Path], kind: Kind) -> tuple[NamedPolicy, ...]:
    """Policies by the names of their files, or by path where two files have one name: explanations go by names."""
    names = [path.name for path in paths]
    return tuple(_read(path, kind, path.name if names.count(path.name) == 1 else str(path)) for path in paths)


def _read(path: Path, kind: Kind, name: str | None = None) -> NamedPolicy:
    try:
        return NamedPolicy(name or path.name, compile_policy(path.read_text(encoding="utf-8"), kind))
    except PolicyError as error:
        raise QuestionError(f"{path}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(f"{path}: cannot be read ({type(error).__name__})") from None
