# SPDX-License-Identifier: Apache-2.0
"""
The constraints of the service models, and what is wrong in AWS's own words.

    1 validation error detected: Value 'a b' at 'roleName' failed to satisfy constraint: Member must satisfy regular
    expression pattern: [\\w+=,.@-]+

Terraform, the SDKs' retry rules and people's search engines know these sentences, so they are AWS's to the letter: names
begin in lower case, list elements are ``tags.1.member.key``, several errors are joined by ``"; "``. A value that is a
secret or a document is not quoted; AWS then writes "Value at 'webIdentityToken' failed ...", and so does this. Checks
run twice only when something is wrong: first without words, then to find them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from daypass.awsapi import limits, patterns
from daypass.awsapi.model import OperationModel, Shape
from daypass.errors import Reason, RequestError

Holds = Callable[[Any], bool]
"""Whether a value satisfies its shape; without words, for the path that nearly every request takes."""

HIDDEN: Final = frozenset(
    {
        "SAMLMetadataDocumentType",
        "authenticationCodeType",
        "certificateBodyType",
        "certificateChainType",
        "contextAssertionType",
        "encodedMessageType",
        "externalIdType",
        "policyDocumentType",
        "sessionPolicyDocumentType",
        "tokenCodeType",
        "unrestrictedSessionPolicyDocumentType",
    }
)
"""Shapes that the models do not mark as sensitive and whose values we do not quote: codes, documents, shared ids."""

_NOT_NULL: Final = "Member must not be null"


def check(operation: OperationModel, parameters: Mapping[str, object]) -> None:
    """Return when the parameters satisfy every constraint of the operation's model.

    The parameters are typed as ``query.parse_input`` types them. Raises RequestError (INVALID_PARAMETER) with AWS's
    sentence, which lists the first ten errors in the model's order. **It does not** know rules that the model does not
    state (that a role exists, that two parameters exclude each other): the operations do.
    """
    shape = operation.input_shape
    if shape is None or _holds(shape)(parameters):
        return
    problems: list[str] = []
    _explain_structure(shape, parameters, "", problems)
    count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
    raise RequestError(Reason.INVALID_PARAMETER, f"{count}: {'; '.join(problems)}")


# Whether


@cache
def _holds(shape: Shape) -> Holds:
    """The check of a shape's own constraints and of all that is in it."""
    match shape.kind:
        case "structure":
            return _structure_holds(shape)
        case "list":
            return _list_holds(shape)
        case "map":
            return _map_holds(shape)
        case "string":
            return _string_holds(shape)
        case "integer":
            return lambda value: _too_great(shape, value) is None and _too_small(shape, value) is None
        case "blob":
            return lambda value: _too_great(shape, len(value)) is None and _too_small(shape, len(value)) is None
        case "boolean" | "timestamp":
            return _always


def _always(_value: object) -> bool:
    return True


def _worth_asking(shape: Shape) -> Holds | None:
    holds = _holds(shape)
    return None if holds is _always else holds


def _structure_holds(shape: Shape) -> Holds:
    fields = [(name, name in shape.required, _worth_asking(member.shape)) for name, member in shape.members.items()]
    union = shape.union

    def holds(value: Any) -> bool:
        for name, required, member_holds in fields:
            member = value.get(name)
            if member is None:
                if required:
                    return False
            elif member_holds is not None and not member_holds(member):
                return False
        return not union or len(value) == 1

    return holds


def _list_holds(shape: Shape) -> Holds:
    element_holds = _holds(shape.its_element().shape)

    def holds(value: Any) -> bool:
        return (
            _too_great(shape, len(value)) is None
            and _too_small(shape, len(value)) is None
            and all(map(element_holds, value))
        )

    return holds


def _map_holds(shape: Shape) -> Holds:
    key, item = shape.its_entry()
    key_holds, value_holds = _holds(key.shape), _holds(item.shape)

    def holds(value: Any) -> bool:
        return (
            _too_great(shape, len(value)) is None
            and _too_small(shape, len(value)) is None
            and all(map(key_holds, value))
            and all(map(value_holds, value.values()))
        )

    return holds


def _string_holds(shape: Shape) -> Holds:
    if shape.enum:
        return frozenset(shape.enum).__contains__
    least, most = shape.minimum or 0, shape.maximum
    matches = None if shape.pattern is None else patterns.compiled(shape.pattern).fullmatch
    if matches is None and not least and most is None:
        return _always

    # INVARIANT: the length is checked before the pattern, which then sees no more text than the model allows.
    def holds(value: str) -> bool:
        return (
            len(value) >= least
            and (most is None or len(value) <= most)
            and (matches is None or matches(value) is not None)
        )

    return holds


# Why


def _explain_structure(shape: Shape, value: Mapping[str, Any], path: str, problems: list[str]) -> None:
    for name, member in shape.members.items():
        inner = f"{path}.{_aws_name(name)}" if path else _aws_name(name)
        present = value.get(name)
        if present is not None:
            _explain(member.shape, present, inner, problems)
        elif name in shape.required:
            _add(problems, f"Value null at '{inner}'", _NOT_NULL)
    if shape.union and len(value) != 1:
        _add(problems, f"Value at '{path}'", "Member must have exactly one member set")


def _explain(shape: Shape, value: Any, path: str, problems: list[str]) -> None:
    """Add what is wrong with a value and with all that is in it."""
    if len(problems) >= limits.MAX_PROBLEMS or _holds(shape)(value):
        return
    if shape.kind == "structure":
        _explain_structure(shape, value, path, problems)
        return
    for words in _violations(shape, value):
        _add(problems, f"Value {_quoted(shape, value)}at '{path}'", words)
    if shape.kind == "list":
        _explain_list(shape, value, path, problems)
    elif shape.kind == "map":
        _explain_map(shape, value, path, problems)


def _explain_list(shape: Shape, value: list[Any], path: str, problems: list[str]) -> None:
    element = shape.its_element().shape
    if element.kind in ("structure", "list", "map"):
        for index, item in enumerate(value, 1):
            _explain(element, item, f"{path}.{index}.member", problems)
    elif not all(map(_holds(element), value)):
        _add(problems, f"Value {_quoted(shape, value)}at '{path}'", f"Member must satisfy constraint: {_all(element)}")


def _explain_map(shape: Shape, value: Mapping[Any, Any], path: str, problems: list[str]) -> None:
    key, item = (place.shape for place in shape.its_entry())
    if not all(map(_holds(key), value)):
        _add(problems, f"Value at '{path}'", f"Map keys must satisfy constraint: {_all(key)}")
    if item.kind in ("structure", "list", "map"):
        for name, inner in value.items():
            _explain(item, inner, f"{path}.{_shortened(str(name))}.member", problems)
    elif not all(map(_holds(item), value.values())):
        _add(problems, f"Value at '{path}'", f"Map value must satisfy constraint: {_all(item)}")


def _violations(shape: Shape, value: Any) -> list[str]:
    """The constraints of the shape itself that the value does not satisfy, in AWS's order."""
    measure = value if shape.kind == "integer" else len(value)
    too_great = _too_great(shape, measure)
    wrong = None
    if shape.kind == "string" and too_great is None:
        if shape.enum and value not in shape.enum:
            wrong = _enum_words(shape)
        elif shape.pattern is not None and patterns.compiled(shape.pattern).fullmatch(value) is None:
            wrong = _pattern_words(shape)
    return [words for words in (too_great, wrong, _too_small(shape, measure)) if words is not None]


def _all(shape: Shape) -> str:
    """All constraints of a scalar, as AWS lists them for the elements of a list without saying which one failed."""
    words = [_maximum_words(shape), _minimum_words(shape)]
    words += [_pattern_words(shape)] if shape.pattern is not None else []
    words += [_enum_words(shape)] if shape.enum else []
    return f"[{', '.join([text for text in words if text is not None] + [_NOT_NULL])}]"


# The words


def _add(problems: list[str], subject: str, words: str) -> None:
    if len(problems) < limits.MAX_PROBLEMS:
        problems.append(f"{subject} failed to satisfy constraint: {words}")


def _too_great(shape: Shape, measure: int) -> str | None:
    return _maximum_words(shape) if shape.maximum is not None and measure > shape.maximum else None


def _too_small(shape: Shape, measure: int) -> str | None:
    return _minimum_words(shape) if shape.minimum is not None and measure < shape.minimum else None


def _maximum_words(shape: Shape) -> str | None:
    if shape.maximum is None:
        return None
    return f"Member must have {_measured(shape)} less than or equal to {shape.maximum}"


def _minimum_words(shape: Shape) -> str | None:
    if shape.minimum is None:
        return None
    return f"Member must have {_measured(shape)} greater than or equal to {shape.minimum}"


def _measured(shape: Shape) -> str:
    return "value" if shape.kind == "integer" else "length"


def _pattern_words(shape: Shape) -> str:
    return f"Member must satisfy regular expression pattern: {shape.pattern}"


def _enum_words(shape: Shape) -> str:
    return f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


def _aws_name(name: str) -> str:
    """``roleName``, ``sAMLAssertion``: the model's name, its first letter in lower case."""
    return name[:1].lower() + name[1:]


def _quoted(shape: Shape, value: Any) -> str:
    """The value in quotes with a space behind it; nothing where the value is not to be told."""
    if shape.kind == "list":
        element = shape.its_element().shape
        if element.kind in ("string", "integer") and not _hidden(shape) and not _hidden(element):
            return f"'[{_shortened(', '.join(map(str, value[: limits.MAX_QUOTED_VALUE])))}]' "
        return ""
    if shape.kind in ("string", "integer") and not _hidden(shape):
        return f"'{_shortened(str(value))}' "
    return ""


def _hidden(shape: Shape) -> bool:
    return shape.sensitive or shape.name in HIDDEN


def _shortened(text: str) -> str:
    """A text that is safe in a message and in a log line: short, without control characters."""
    if len(text) > limits.MAX_QUOTED_VALUE:
        text = text[: limits.MAX_QUOTED_VALUE] + "..."
    return text if text.isprintable() else "".join(mark if mark.isprintable() else "\ufffd" for mark in text)
