# SPDX-License-Identifier: Apache-2.0
"""
The words in which the tables of named services say what an operation needs.

    "GetItem": on(name_or_arn("TableName", TABLE))

A rule makes permissions from the parameters of one request; a reader finds the ARNs of resources in them. A name is held
against the service's own pattern before it becomes part of an ARN, so no name can reach into another field or segment. An ARN
that a request brings must be of the backend's own region and account: backends commonly look at its last part only, and a
policy about the right ARN must not be evaded by one that names another region.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from daypass.arn import PARTITION
from daypass.errors import Reason, RequestError
from daypass.gateway.actions.reference import Model
from daypass.gateway.asking import Needed

MAX_ITEMS: Final = 100
"""Items that one request may name, and so permissions that it may need: what DynamoDB takes in one transaction, batch of reads
or batch of statements at most. No other service here takes more."""


class Asked(msgspec.Struct, frozen=True):
    """One request for an operation: its parameters, named as the model names them, and where the backend is."""

    prefix: str
    operation: str
    parameters: Mapping[str, Any]
    region: str
    account: str
    model: Model

    def __repr__(self) -> str:
        return f"Asked({self.prefix}:{self.operation})"

    def arn(self, resource: str) -> str:
        """The ARN of a resource of the backend."""
        return f"arn:{PARTITION}:{self.prefix}:{self.region}:{self.account}:{resource}"

    def text(self, parameter: str) -> str:
        """A parameter that must be there, as text. Raises RequestError (INVALID_PARAMETER)."""
        value = self.parameters.get(parameter)
        if not isinstance(value, str) or not value:
            raise invalid(parameter, "a text")
        return value

    def has(self, parameter: str) -> bool:
        """Whether the request has the parameter, whatever its value."""
        return parameter in self.parameters

    def items(self, parameter: str) -> Sequence[Any]:
        """A parameter that must be a list of 1 to MAX_ITEMS items. Raises RequestError (INVALID_PARAMETER)."""
        value = self.parameters.get(parameter)
        if not isinstance(value, list) or not 0 < len(value) <= MAX_ITEMS:
            raise invalid(parameter, f"a list of 1 to {MAX_ITEMS} items")
        return value

    def structure(self, value: Any, shape: str, parameter: str) -> Mapping[str, Any]:
        """A value as the model's structure of that name, with no member that the model does not have. Raises RequestError."""
        if not isinstance(value, dict):
            raise invalid(parameter, "a structure")
        if not self.model.members[shape].issuperset(value):
            raise RequestError(Reason.UNKNOWN_PARAMETER, f"A structure in {parameter} has a member that is not known.")
        return value


Rule = Callable[[Asked], Sequence[Needed]]
"""What an operation needs. Raises RequestError."""

Reader = Callable[[Asked], Sequence[str]]
"""The ARNs of what an operation acts on. Raises RequestError."""


class Resources(msgspec.Struct, frozen=True):
    """
    A type of resource: how its ARN comes from a name.

    ``template`` has one ``{}``, ``table/{}``; ``name`` is what all of a name must match.
    """

    template: str
    name: re.Pattern[str]

    def of_name(self, asked: Asked, name: str, parameter: str) -> str:
        """The ARN of the resource with this name. Raises RequestError (INVALID_PARAMETER)."""
        if self.name.fullmatch(name) is None:
            raise invalid(parameter, "a name as the service has them")
        return asked.arn(self.template.format(name))

    def of_name_or_arn(self, asked: Asked, text: str, parameter: str) -> str:
        """The same where the text may be the ARN itself, of the backend's region and account."""
        if not text.startswith("arn:"):
            return self.of_name(asked, text, parameter)
        before, _, after = self.template.partition("{}")
        resource = own_resource(asked, text, parameter)
        if not resource.startswith(before) or not resource.endswith(after):
            raise invalid(parameter, "an ARN of a resource of this type")
        return self.of_name(asked, resource[len(before) : len(resource) - len(after)], parameter)


def own_resource(asked: Asked, arn: str, parameter: str) -> str:
    """The last field of an ARN of the backend's own service, region and account. Raises RequestError (INVALID_PARAMETER)."""
    start = asked.arn("")
    if not arn.startswith(start):
        raise invalid(parameter, f"an ARN that begins with {start}")
    return arn[len(start) :]


def on(*readers: Reader, action: str = "", tagging: str = "", refused: Sequence[str] = ()) -> Rule:
    """
    The rule of nearly all operations: one action on every resource that the readers find.

    - ``action``: its name where it is not the operation's.
    - ``tagging``: the action that is needed as well, on the same, when the request brings tags along.
    - ``refused``: parameters that ask for more than we can tell the permissions of; a request with one is refused.
    """

    def rule(asked: Asked) -> Sequence[Needed]:
        for parameter in refused:
            if asked.has(parameter):
                raise RequestError(
                    Reason.UNSUPPORTED_PARAMETER, f"{asked.operation} with {parameter} is not supported here."
                )
        resources = [arn for reader in readers for arn in reader(asked)]
        actions = [action or asked.operation]
        if tagging and (asked.has("Tags") or asked.has("tags")):
            actions.append(tagging)
        return [Needed(f"{asked.prefix}:{name}", arn) for name in actions for arn in resources]

    return rule


def everything(asked: Asked) -> Sequence[Needed]:
    """
    The rule of operations whose action has no resource type in AWS's reference: the action on ``*``.

    What it makes cannot be named before it is there, so that neither can what its tags are put on: tags are refused.
    """
    if asked.has("Tags") or asked.has("tags"):
        raise RequestError(Reason.UNSUPPORTED_PARAMETER, f"{asked.operation} with tags is not supported here.")
    return [Needed(f"{asked.prefix}:{asked.operation}", "*")]


def named(parameter: str, resources: Resources) -> Reader:
    """The resource that a parameter gives the name of."""
    return lambda asked: (resources.of_name(asked, asked.text(parameter), parameter),)


def name_or_arn(parameter: str, resources: Resources) -> Reader:
    """The resource that a parameter gives the name or the ARN of."""
    return lambda asked: (resources.of_name_or_arn(asked, asked.text(parameter), parameter),)


def each_name_or_arn(parameter: str, resources: Resources) -> Reader:
    """The resources that a list gives the names or the ARNs of."""

    def read(asked: Asked) -> Sequence[str]:
        found = []
        for item in asked.items(parameter):
            if not isinstance(item, str):
                raise invalid(parameter, "a list of texts")
            found.append(resources.of_name_or_arn(asked, item, parameter))
        return found

    return read


def own_arn(parameter: str, *patterns: str) -> Reader:
    """The resource that a parameter gives the ARN of: of the backend's own, the last field as one of the patterns says."""
    compiled = re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.ASCII)

    def read(asked: Asked) -> Sequence[str]:
        arn = asked.text(parameter)
        if compiled.fullmatch(own_resource(asked, arn, parameter)) is None:
            raise invalid(parameter, "an ARN of a resource of this type")
        return (arn,)

    return read


def together(*rules: Rule) -> Rule:
    """All that several rules say."""
    return lambda asked: [needed for rule in rules for needed in rule(asked)]


def passing_role(parameter: str, service: str) -> Rule:
    """Permission to pass the role that a parameter names, where there is one, to a service (IAM User Guide, "PassRole")."""

    def rule(asked: Asked) -> Sequence[Needed]:
        if not asked.has(parameter):
            return ()
        return (passed_role(asked.text(parameter), service, parameter),)

    return rule


def passed_role(arn: str, service: str, parameter: str) -> Needed:
    """Permission to pass one role to a service. Raises RequestError (INVALID_PARAMETER) for what is no ARN of a role."""
    if _ROLE.fullmatch(arn) is None:
        raise invalid(parameter, "the ARN of a role")
    return Needed("iam:PassRole", arn, {"iam:passedtoservice": service})


def invalid(parameter: str, expected: str) -> RequestError:
    """The refusal of a parameter; its value is not told."""
    return RequestError(Reason.INVALID_PARAMETER, f"Expected {parameter} to be {expected}.")


_ROLE: Final = re.compile(r"arn:aws:iam::[0-9]{12}:role/[!-~]{1,576}", re.ASCII)
