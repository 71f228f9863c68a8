# SPDX-License-Identifier: Apache-2.0
"""
AWS service models: operations, shapes and errors (botocore's ``service-2.json``, format version 2.0).

The models are package data of botocore, found through the import system without importing botocore: its code would cost
150 ms and 18 MB. Reading one takes a few milliseconds; shapes are resolved when an operation is first used. What the
shapes mean on the wire is for the protocol modules (``daypass.awsapi.query``).
"""

from __future__ import annotations

import functools
import gzip
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, Self, get_args

from daypass.errors import ConfigurationError, Reason

Kind = Literal["structure", "list", "map", "string", "integer", "boolean", "timestamp", "blob"]
"""The kinds of shape that STS and IAM use. A model with another one is refused, so that a test notices."""

Fault = Literal["Sender", "Receiver"]
"""Whose fault an error is, in the words of the Query protocol."""

_KINDS: Final = frozenset(get_args(Kind))
_VERSIONS: Final = MappingProxyType({"sts": "2011-06-15", "iam": "2010-05-08"})
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A shape in its place: a structure's member, a list's element, a map's key or value.

    ``name`` is what the model calls it ("" outside structures), ``location_name`` what the model says the wire calls it
    (None: the protocol's default). ``flattened`` is true for lists and maps without a wrapping element.
    """

    name: str
    location_name: str | None
    flattened: bool
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A type of the model, with its constraints.

    ``minimum`` and ``maximum`` bound the value of an integer, the characters of a string, the bytes of a blob, the
    elements of a list and the entries of a map. ``pattern`` is a Java regular expression for the whole text. ``members``
    and ``required`` are of structures, a ``union`` being a structure with exactly one member set; ``element`` is of lists;
    ``key`` and ``value`` are of maps.
    """

    name: str
    kind: Kind
    minimum: int | None = None
    maximum: int | None = None
    pattern: str | None = None
    enum: tuple[str, ...] = ()
    sensitive: bool = False
    union: bool = False
    members: Mapping[str, Member] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    element: Member | None = None
    key: Member | None = None
    value: Member | None = None

    def its_element(self) -> Member:
        """What a list is of. Raises ValueError for another kind of shape."""
        if self.element is None:
            raise ValueError(f"the shape {self.name} has no elements")
        return self.element

    def its_entry(self) -> tuple[Member, Member]:
        """The key and the value of a map. Raises ValueError for another kind of shape."""
        if self.key is None or self.value is None:
            raise ValueError(f"the shape {self.name} has no entries")
        return self.key, self.value


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """A modelled error: its code on the wire, the name of its shape, its HTTP status, whose fault it is."""

    code: str
    shape_name: str
    status: int
    fault: Fault


class _Shapes:
    """The shapes of one document, made when first asked for."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._made: dict[str, Shape] = {}
        self._in_the_making: set[str] = set()

    def shape(self, name: str) -> Shape:
        """The shape of that name. Raises ValueError for a kind that is not known, and for a shape inside itself."""
        made = self._made.get(name)
        if made is not None:
            return made
        if name in self._in_the_making:
            raise ValueError(f"the shape {name} contains itself, which no protocol here can read")
        self._in_the_making.add(name)
        try:
            shape = self._made[name] = self._make(name, self._definitions[name])
        finally:
            self._in_the_making.discard(name)
        return shape

    def error(self, name: str) -> ErrorModel:
        """The error of that name; without details in the model it is the sender's, with status 400 and its name as code."""
        details = self._definitions[name].get("error", _NOTHING)
        status = details.get("httpStatusCode", 400)
        fault: Fault = "Receiver" if status >= 500 else "Sender"
        return ErrorModel(details.get("code", name), name, status, fault)

    def error_names(self) -> list[str]:
        """The names of all shapes that are errors."""
        return [name for name, definition in self._definitions.items() if definition.get("exception")]

    def _make(self, name: str, definition: Mapping[str, Any]) -> Shape:
        if definition["type"] not in _KINDS:
            raise ValueError(f"the shape {name} is of the unknown kind {definition['type']!r}")
        return Shape(
            name=name,
            kind=definition["type"],
            minimum=definition.get("min"),
            maximum=definition.get("max"),
            pattern=definition.get("pattern"),
            enum=tuple(definition.get("enum", ())),
            sensitive=definition.get("sensitive", False),
            union=definition.get("union", False),
            members={inner: self._member(inner, use) for inner, use in definition.get("members", _NOTHING).items()},
            required=frozenset(definition.get("required", ())),
            element=self._place(definition, "member"),
            key=self._place(definition, "key"),
            value=self._place(definition, "value"),
        )

    def _place(self, definition: Mapping[str, Any], part: str) -> Member | None:
        return self._member("", definition[part]) if part in definition else None

    def _member(self, name: str, use: Mapping[str, Any]) -> Member:
        flattened = use.get("flattened", False) or self._definitions[use["shape"]].get("flattened", False)
        return Member(name, use.get("locationName"), flattened, self.shape(use["shape"]))


@dataclass(frozen=True, eq=False)
class OperationModel:
    """An operation: what it takes, what it answers, what it may raise. Compared and hashed by identity.

    ``unsigned`` is true where AWS takes the call without a signature. ``result_wrapper`` is the element around the
    members of an answer; None where the model has no answer.
    """

    name: str
    unsigned: bool
    result_wrapper: str | None
    xml_namespace: str
    _definition: Mapping[str, Any] = field(repr=False)
    _shapes: _Shapes = field(repr=False)

    @functools.cached_property
    def input_shape(self) -> Shape | None:
        """The structure of the parameters; None for an operation without any."""
        return self._shape("input")

    @functools.cached_property
    def output_shape(self) -> Shape | None:
        """The structure of the answer; None for an operation that only says that it is done."""
        return self._shape("output")

    @functools.cached_property
    def errors(self) -> tuple[ErrorModel, ...]:
        """The errors that the model declares for this operation."""
        return tuple(self._shapes.error(error["shape"]) for error in self._definition.get("errors", ()))

    def _shape(self, direction: str) -> Shape | None:
        use = self._definition.get(direction)
        return None if use is None else self._shapes.shape(use["shape"])


@dataclass(frozen=True, eq=False)
class ServiceModel:
    """A service: its operations by name, its errors by code, and the facts that its answers repeat."""

    name: str
    api_version: str
    xml_namespace: str
    protocols: tuple[str, ...]
    operations: Mapping[str, OperationModel] = field(repr=False)
    _shapes: _Shapes = field(repr=False)

    @functools.cached_property
    def errors(self) -> Mapping[str, ErrorModel]:
        """Every modelled error, by its code on the wire."""
        modelled = map(self._shapes.error, self._shapes.error_names())
        return MappingProxyType({error.code: error for error in modelled})

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The model that a parsed ``service-2.json`` describes."""
        metadata = document["metadata"]
        shapes = _Shapes(document["shapes"])
        namespace = metadata["xmlNamespace"]
        return cls(
            name=metadata["endpointPrefix"],
            api_version=metadata["apiVersion"],
            xml_namespace=namespace,
            protocols=tuple(metadata["protocols"]),
            operations=MappingProxyType(
                {name: _operation(entry, namespace, shapes) for name, entry in document["operations"].items()}
            ),
            _shapes=shapes,
        )


def _operation(definition: Mapping[str, Any], namespace: str, shapes: _Shapes) -> OperationModel:
    return OperationModel(
        name=definition["name"],
        unsigned=definition.get("authtype") == "none",
        result_wrapper=definition.get("output", _NOTHING).get("resultWrapper"),
        xml_namespace=namespace,
        _definition=definition,
        _shapes=shapes,
    )


@functools.cache
def load_service(name: Literal["sts", "iam"]) -> ServiceModel:
    """The model of STS 2011-06-15 or IAM 2010-05-08, from the installed botocore; read once.

    Raises ConfigurationError (CONFIGURATION_INVALID) when botocore is not installed or has no such model.
    """
    return ServiceModel.from_document(json.loads(_model_bytes(name, _VERSIONS[name])))


def service_document(service: str, version: str) -> Mapping[str, Any]:
    """The parsed ``service-2.json`` of any service, for who reads another protocol than ours from it; not kept.

    Raises ConfigurationError (CONFIGURATION_INVALID) when botocore is not installed or has no such model.
    """
    document: Mapping[str, Any] = json.loads(_model_bytes(service, version))
    return document


def _model_bytes(service: str, version: str) -> bytes:
    """The document's text. Some builds of botocore compress their data, some do not."""
    spec = importlib.util.find_spec("botocore")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(root) / "data" / service / version
        plain, packed = folder / "service-2.json", folder / "service-2.json.gz"
        if plain.is_file():
            return plain.read_bytes()
        if packed.is_file():
            return gzip.decompress(packed.read_bytes())
    raise ConfigurationError(
        Reason.CONFIGURATION_INVALID,
        f"botocore's model of {service} {version} is missing: install botocore 1.44 or later",
    )
