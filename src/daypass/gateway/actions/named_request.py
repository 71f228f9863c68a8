# SPDX-License-Identifier: Apache-2.0
"""
Requests that name their operation: AWS JSON 1.0 and 1.1 (the header X-Amz-Target) and AWS Query (the parameter Action).

    Incoming -- read_request --> NamedRequest: the service model, the operation's name, its parameters

There is one source for the operation and one for the parameters. Whatever a backend might read besides (a form beside a
target, a parameter in a query, a body of another type, a name in another case) is refused, for backends differ in what they
look at first. A parameter that the model does not have is refused: an operation that the model knows by one resource may have
learnt to take another since.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from daypass.awsapi.form import parse_form
from daypass.errors import ProofError, Reason, RequestError
from daypass.gateway.actions.reference import Model
from daypass.gateway.asking import Incoming
from daypass.jsontext import read_json_object
from daypass.sigv4 import RawRequest

MAX_DEPTH: Final = 80
"""Of JSON's nesting: an item of DynamoDB may be 32 levels deep, of two brackets each, inside a few more."""

MAX_BRACKETS: Final = 65_536
"""Objects and lists in a body of JSON. 25 items, which is the most that DynamoDB writes in one batch, may have 2600 attributes
each; reading a body of the largest size takes a fraction of a second so, and several seconds if it were all brackets."""

_SIGNATURE_PARAMETERS: Final = frozenset(
    f"X-Amz-{name}"
    for name in (
        *("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"),
        *("Security-Token", "Content-Sha256"),
    )
)
_FORM_TYPE: Final = b"application/x-www-form-urlencoded"
_JSON_TYPES: Final = (b"application/x-amz-json-1.0", b"application/x-amz-json-1.1")
_TARGET: Final = re.compile(r"([A-Za-z0-9_.]{1,128})\.([A-Za-z0-9]{1,128})", re.ASCII)
_QUEUE_PATH: Final = re.compile(rb"/([0-9]{12})/([A-Za-z0-9_-]{1,80}(?:\.fifo)?)")


class NamedRequest(msgspec.Struct, frozen=True):
    """
    What is asked, not yet looked into. ``parameters`` are named as the model names them; those of a form are texts, lists of
    texts and of structures of texts, and trees of texts where the form has something that we do not look into.
    """

    model: Model
    operation: str
    parameters: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"NamedRequest({self.operation})"


class Speech(msgspec.Struct, frozen=True):
    """
    How a service is spoken to.

    - ``models``: one, or several that share an endpoint (DynamoDB and its streams).
    - ``query_version``: the Version of its Query protocol; empty where it has none.
    - ``form_names``: what forms call a parameter, where it is not the model's name.
    - ``queue_paths``: whether the path of a Query request may name the queue, ``/ACCOUNT/QUEUE``.
    """

    models: tuple[Model, ...]
    query_version: str = ""
    form_names: Mapping[str, str] = {}
    queue_paths: bool = False


def is_json(raw: RawRequest) -> bool:
    """Whether the request speaks AWS JSON: whether it has a target. For how to answer it; it may be refused all the same."""
    return any(name == b"x-amz-target" for name, _ in raw.headers)


def read_request(speech: Speech, incoming: Incoming) -> NamedRequest:
    """
    The operation and its parameters. Raises RequestError: UNSUPPORTED_OPERATION for a protocol or an operation that the
    service does not have, MALFORMED_REQUEST, DUPLICATE_PARAMETER, UNKNOWN_PARAMETER. Raises ValueError, our mistake, when
    the body has not been read.
    """
    if incoming.body is None:
        raise ValueError("the body of the request has not been read")
    headers = incoming.raw.headers
    if _values(headers, b"smithy-protocol"):
        raise RequestError(
            Reason.UNSUPPORTED_OPERATION, "The Smithy RPC v2 protocol is not supported here; use AWS JSON or AWS Query."
        )
    if any(value.strip().lower() != b"identity" for value in _values(headers, b"content-encoding")):
        raise RequestError(Reason.UNSUPPORTED_OPERATION, "A compressed body is not supported here.")
    targets = _values(headers, b"x-amz-target")
    if targets:
        return _json_request(speech, incoming, targets, incoming.body)
    return _form_request(speech, incoming, incoming.body)


def _json_request(speech: Speech, incoming: Incoming, targets: Sequence[bytes], body: bytes) -> NamedRequest:
    model, operation = _target(speech, targets)
    raw = incoming.raw
    if raw.method != "POST" or raw.path != b"/":
        raise _malformed("an operation that X-Amz-Target names is asked for with POST at /")
    types = _values(raw.headers, b"content-type")
    if len(types) != 1 or _media_type(types[0]) not in _JSON_TYPES:
        raise _malformed("expected a body of the type application/x-amz-json-1.0 or 1.1")
    if any(name.decode("latin-1") not in _SIGNATURE_PARAMETERS for name, _ in incoming.parameters):
        raise _malformed("expected no parameters in the query beside X-Amz-Target")
    if body.count(b"{") + body.count(b"[") > MAX_BRACKETS:
        raise RequestError(Reason.REQUEST_TOO_LARGE, f"The body has more than {MAX_BRACKETS} objects and lists.")
    try:
        parameters = read_json_object(body, max_depth=MAX_DEPTH)
    except ProofError as error:
        raise RequestError(error.reason, str(error)) from None
    known = model.members.get(model.inputs[operation], frozenset())
    if not known.issuperset(parameters):
        raise _unknown(operation)
    return NamedRequest(model, operation, parameters)


def _target(speech: Speech, targets: Sequence[bytes]) -> tuple[Model, str]:
    match = _TARGET.fullmatch(targets[0].decode("latin-1"))
    if len(targets) != 1 or match is None:
        raise _malformed("expected one X-Amz-Target of the form SERVICE.OPERATION")
    for model in speech.models:
        if model.target == match.group(1) and "json" in model.protocols:
            if match.group(2) not in model.inputs:
                break
            return model, match.group(2)
    raise RequestError(Reason.UNSUPPORTED_OPERATION, "X-Amz-Target names no operation of this service.")


def _form_request(speech: Speech, incoming: Incoming, body: bytes) -> NamedRequest:
    if not speech.query_version:
        raise _malformed("expected the header X-Amz-Target, which says which operation is asked for")
    form = _form(incoming.raw, body)
    model = speech.models[0]
    operation, version = form.pop("Action", ""), form.pop("Version", "")
    if not operation:
        raise _malformed("expected the parameter Action, which says which operation is asked for")
    if operation not in model.inputs or version != speech.query_version:
        raise RequestError(Reason.UNSUPPORTED_OPERATION, "Action and Version name no operation of this service.")
    parameters = _form_parameters(form, model.members.get(model.inputs[operation], frozenset()), speech, operation)
    _read_path(speech, incoming, parameters, operation)
    return NamedRequest(model, operation, parameters)


def _form(raw: RawRequest, body: bytes) -> dict[str, str]:
    """The parameters, from one place only: the body of a POST or the query of a GET."""
    query = parse_form(raw.query)
    others = {name: value for name, value in query.items() if name not in _SIGNATURE_PARAMETERS}
    if raw.method == "GET":
        if body:
            raise _malformed("expected the parameters in the query, got a body")
        return others
    if raw.method != "POST":
        raise _malformed("expected a POST, or a GET with a query")
    types = _values(raw.headers, b"content-type")
    if len(types) != 1 or _media_type(types[0]) != _FORM_TYPE:
        raise _malformed("expected the header X-Amz-Target, or a body of the type application/x-www-form-urlencoded")
    if others:
        raise _malformed("expected the parameters in the body, got some in the query")
    return parse_form(body)


def _form_parameters(form: Mapping[str, str], known: frozenset[str], speech: Speech, operation: str) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    trees: dict[str, dict[str, str]] = {}
    for wire_name, text in form.items():
        first, dot, rest = wire_name.partition(".")
        name = speech.form_names.get(first, first)
        if name == "Tag" and name not in known:
            name = "Tags" if "Tags" in known else "tags"
        if name not in known:
            raise _unknown(operation)
        if dot:
            trees.setdefault(name, {})[rest] = text
        elif name in parameters:
            raise RequestError(Reason.DUPLICATE_PARAMETER, f"The request has {name} more than once.")
        else:
            parameters[name] = text
    for name, tree in trees.items():
        if name in parameters:
            raise _malformed(f"{name} is both a text and a list")
        parameters[name] = _listed(tree)
    return parameters


def _listed(tree: Mapping[str, str]) -> Any:
    """A numbered list of texts or of structures of texts, with or without ``member`` before the numbers; else the tree."""
    items: dict[str, Any] = {}
    for name, text in tree.items():
        number, dot, member = name.removeprefix("member.").partition(".")
        if dot:
            inner = items.setdefault(number, {})
            if not isinstance(inner, dict) or member in inner:
                return tree
            inner[member] = text
        elif number in items:
            return tree
        else:
            items[number] = text
    numbers = [str(number) for number in range(1, len(items) + 1)]
    return [items[number] for number in numbers] if items.keys() == set(numbers) else tree


def _read_path(speech: Speech, incoming: Incoming, parameters: dict[str, Any], operation: str) -> None:
    """The path is ``/``; SQS's may name the queue, and then QueueUrl must not name another."""
    path = incoming.raw.path
    if path == b"/":
        return
    match = _QUEUE_PATH.fullmatch(path) if speech.queue_paths else None
    if match is None or "QueueUrl" not in speech.models[0].members.get(speech.models[0].inputs[operation], ()):
        raise _malformed("the path names no resource of this operation")
    named = path.decode()
    url = parameters.setdefault("QueueUrl", f"http://localhost{named}")
    if not isinstance(url, str) or "/" + "/".join(url.split("/")[3:]) != named:
        raise _malformed("the path and QueueUrl name different queues")


def _values(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name == wanted]


def _media_type(value: bytes) -> bytes:
    return value.partition(b";")[0].strip().lower()


def _malformed(what: str) -> RequestError:
    return RequestError(Reason.MALFORMED_REQUEST, f"The request is malformed: {what}.")


def _unknown(operation: str) -> RequestError:
    return RequestError(Reason.UNKNOWN_PARAMETER, f"The request has a parameter that {operation} is not known to have.")
