# SPDX-License-Identifier: Apache-2.0
"""
The Resource and NotResource elements (IAM JSON policy elements: Resource; AWS General Reference, "Paths in ARNs").

A pattern and an ARN are split into six fields at the first five colons. Fields 1 to 5 ignore case, and a wildcard stays in
its field, except a ``*`` at the end of a field, which may go on over colons; the sixth field is matched with its case.
A field that stands aligned with its own is the common case and is compared directly. Crossing needs an ARN with more than
five colons; it is left to an automaton over the whole ARN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from daypass.policy.document import Kind
from daypass.policy.match import MANY, ONE, Automaton, Glob, Token, ascii_lower, compile_glob, compile_text
from daypass.policy.variables import Entries, Part, Template, Variable, parse, plain, resolve, show, shown

FIELDS = 6
_WHY = ("PARTITION", "PARTITION", "SERVICE", "REGION", "ACCOUNT")


class Target:
    """
    The resource of one request, split once, with the context that variables are looked up in.

    - ``head``: the first five fields in lower case, with their colons; empty when the resource is not an ARN.
    - ``tail``: the sixth field.
    """

    __slots__ = ("entries", "head", "raw", "tail")

    def __init__(self, raw: str, entries: Entries) -> None:
        self.raw = raw
        self.entries = entries
        fields = raw.split(":", 5)
        if len(fields) == FIELDS:
            self.tail = fields[5]
            self.head = ascii_lower(raw[: len(raw) - len(self.tail)])
        else:
            self.head = self.tail = ""

    @property
    def root(self) -> str:
        """The ARN up to the first slash of the resource part: the bucket of an object, say."""
        return self.head + self.tail.partition("/")[0]


class ResourceTrace(msgspec.Struct, frozen=True):
    """How one entry compared: the pattern with its variables filled in, and what did not fit."""

    match: bool
    resolved: str
    why: str | None


class ResourcePattern:
    """
    One entry of Resource or NotResource.

    - ``matches``: whether it covers a target.
    - ``unresolved``: whether it has a variable without a value for this request.
    - ``head``: the literal first five fields, when they are literal; ``tail``: the sixth, when it has no variables.
    """

    __slots__ = (
        "_automaton",
        "_crosses",
        "_fields",
        "_misplaced",
        "_parts",
        "_template",
        "_traces",
        "head",
        "matches",
        "tail",
        "text",
        "usable",
    )

    def __init__(self, text: str, kind: Kind, *, variables: bool) -> None:
        self.text = text
        self.head: str | None = None
        self.tail: Glob | None = None
        self._template: Template | None = None
        self._fields: tuple[Glob, ...] = ()
        self._parts: tuple[tuple[Part, ...], ...] = ()
        self._automaton: Automaton | None = None
        self._crosses = False
        self._traces: dict[str | None, ResourceTrace] = {}
        self.usable, self._misplaced = True, False
        self.matches: Callable[[Target], bool]
        head, tail = _plain_arn(text)
        if tail is not None and not (variables and "${" in text):
            self.head, self.tail = head, compile_text(tail)
            self.matches = self._match_literal_head
            return
        fields = _split(parse(text, variables=variables))
        complete = _padded(fields, kind)
        self._misplaced = any(map(_has_variable, fields[:5]))
        self.usable = complete is not None and not self._misplaced
        self.matches = self._compile(complete) if complete and self.usable else _never

    @property
    def everything(self) -> bool:
        """Whether this is the entry ``*``, the only one that covers a request for ``*``."""
        return self.text == "*"

    @property
    def root(self) -> str | None:
        """What ``Target.root`` must be for a match; None when it may differ."""
        if self.head is None or self.tail is None:
            return None
        known = self.tail.literal if self.tail.literal is not None else self.tail.prefix
        if known is None or (self.tail.literal is None and "/" not in known):
            return None
        return self.head + known.partition("/")[0]

    @property
    def start(self) -> str | None:
        """What a target's head and tail must begin with for a match: the literal text; None when the head is not literal."""
        if self.head is None:
            return None
        start = self.head
        for part in self._six()[5]:
            if not isinstance(part, str):
                break
            start += part
        return start

    @property
    def keys(self) -> tuple[str, ...]:
        """The condition keys that its variables refer to."""
        return () if self._template is None else tuple(variable.key for variable in self._template.variables)

    def unresolved(self, entries: Entries) -> bool:
        """Whether a variable has no value here; a variable before the fifth colon never has one."""
        if self._template is not None:
            return self._template.glob(entries) is None
        return self._misplaced

    def _compile(self, fields: list[tuple[Part, ...]]) -> Callable[[Target], bool]:
        if self.everything:
            self.tail = compile_glob((MANY,))
            return _always
        self._parts = tuple(fields)
        if _has_variable(fields[5]):
            self._template = Template(fields[5])
        else:
            self.tail = compile_glob(plain(fields[5]))
        self.head = _literal_head(fields[:5])
        if self.head is not None:
            return self._match_literal_head
        self._fields = _compile_fields(fields)
        self._crosses = any(field[-1:] == (MANY,) for field in fields[:5])
        return self._match_fields

    def _tail(self, entries: Entries) -> Glob | None:
        return self.tail if self._template is None else self._template.glob(entries)

    def _match_literal_head(self, target: Target) -> bool:
        if target.head != self.head:
            return False
        tail = self._tail(target.entries)
        return tail is not None and tail.matches(target.tail)

    def _match_fields(self, target: Target) -> bool:
        if not target.head:
            return False
        tail = self._tail(target.entries)
        if tail is None:
            return False
        aligned = all(map(_field_matches, self._fields, target.head.split(":")))
        if aligned and tail.matches(target.tail):
            return True
        return self._crosses and ":" in target.tail and self._match_across(target)

    def _match_across(self, target: Target) -> bool:
        automaton = self._automaton
        if automaton is None:
            tokens = resolve(self._parts[5], target.entries)
            automaton = _whole(self._parts[:5], tokens or ())
            if self._template is None:
                self._automaton = automaton
        return automaton.matches(target.raw)

    def _six(self) -> tuple[tuple[Part, ...], ...]:
        """The six fields of a usable entry; a plain ARN is only taken apart when somebody asks."""
        if not self._parts:
            self._parts = tuple(_split(parse(self.text, variables=False)))
        return self._parts

    def trace(self, target: Target) -> ResourceTrace:
        """The same comparison, telling what did not fit. Without variables there are few answers: remembered."""
        why = self._why(target)
        if self._template is not None:
            return ResourceTrace(why is None, self._shown(target.entries), why)
        trace = self._traces.get(why)
        if trace is None:
            trace = self._traces[why] = ResourceTrace(why is None, self._shown(target.entries), why)
        return trace

    def _shown(self, entries: Entries) -> str:
        tokens = resolve(self._six()[5], entries) if self.usable and not self.everything else None
        if tokens is None:
            return self.text
        return ":".join([*(show(plain(field)) for field in self._six()[:5]), shown(tokens)])

    def _why(self, target: Target) -> str | None:
        """What did not fit; None for a match."""
        if self.matches(target):
            return None
        if self.unresolved(target.entries):
            return "UNRESOLVED_VARIABLE"
        if not self.usable:
            return "INCOMPLETE_ARN"
        if not target.head:
            return "RESOURCE_STAR"
        if target.head == self.head:
            return "RESOURCE_PART"
        if not self._fields:
            self._fields = _compile_fields(self._six())
        for field, text, why in zip(self._fields, target.head.split(":"), _WHY, strict=False):
            if not field.matches(text):
                return why
        return "RESOURCE_PART"


def _always(target: Target) -> bool:  # noqa: ARG001 - the form of a matcher
    return True


def _never(target: Target) -> bool:  # noqa: ARG001 - the form of a matcher
    return False


def _field_matches(field: Glob, text: str) -> bool:
    return field.matches(text)


def _has_variable(field: Sequence[Part]) -> bool:
    return any(isinstance(part, Variable) for part in field)


def _lower(token: Token) -> Token:
    return ascii_lower(token) if isinstance(token, str) else token


def _plain_arn(text: str) -> tuple[str | None, str | None]:
    """The head, in lower case, and the tail of a complete ARN without wildcards in its head; else nothing."""
    fields = text.split(":", 5)
    if len(fields) < FIELDS:
        return None, None
    head = text[: len(text) - len(fields[5])]
    return (None, None) if "*" in head or "?" in head else (ascii_lower(head), fields[5])


def _literal_head(fields: Sequence[Sequence[Part]]) -> str | None:
    """Fields 1 to 5 in lower case, with their colons; None when one of them has a wildcard."""
    literals: list[str] = []
    for field in fields:
        for part in field:
            if not isinstance(part, str):
                return None
            literals.append(part)
        literals.append(":")
    return ascii_lower("".join(literals))


def _compile_fields(fields: Sequence[Sequence[Part]]) -> tuple[Glob, ...]:
    return tuple([compile_glob([_lower(part) for part in plain(field)]) for field in fields[:5]])


def _split(parts: Sequence[Part]) -> list[tuple[Part, ...]]:
    """The parts by field: cut at the first five colons of literal text."""
    fields: list[list[Part]] = [[]]
    for part in parts:
        if not isinstance(part, str):
            fields[-1].append(part)
            continue
        first, *others = part.split(":", FIELDS - len(fields))
        fields[-1].extend([first] if first else [])
        fields.extend([other] if other else [] for other in others)
    return [tuple(field) for field in fields]


def _padded(fields: list[tuple[Part, ...]], kind: Kind) -> list[tuple[Part, ...]] | None:
    """An incomplete ARN with ``*`` for what is missing; None where the kind does not pad it."""
    missing = FIELDS - len(fields)
    if missing and kind in (Kind.RESOURCE, Kind.VPC_ENDPOINT) and not any(MANY in field for field in fields):
        return None
    return fields + [(MANY,)] * missing


def _whole(fields: Sequence[Sequence[Part]], tail: Sequence[Part]) -> Automaton:
    """An automaton over the whole ARN, in which a ``*`` at the end of a field may cross colons."""
    automaton = Automaton()
    for field in fields:
        for position, part in enumerate(field):
            if isinstance(part, str):
                automaton.add_literal(part, any_case=True)
            elif part is ONE:
                automaton.add_one(within_field=True)
            else:
                automaton.add_many(within_field=position < len(field) - 1)
        automaton.add_literal(":")
    for part in tail:
        if isinstance(part, str):
            automaton.add_literal(part)
        elif part is ONE:
            automaton.add_one()
        else:
            automaton.add_many()
    return automaton


class ResourceElement:
    """
    Resource, or (``negated``) NotResource.

    Entries with a literal head are looked up by it; of those, the ones without variables are a set of texts and a tuple of
    prefixes, so that a list of a hundred objects costs as much as one.
    """

    __slots__ = ("_heads", "_loose", "_remaining", "matches", "negated", "patterns")

    def __init__(self, texts: Sequence[str], kind: Kind, *, negated: bool, variables: bool) -> None:
        self.negated = negated
        self.patterns = tuple(ResourcePattern(text, kind, variables=variables) for text in texts)
        self._heads: dict[str, tuple[frozenset[str], tuple[str, ...], tuple[ResourcePattern, ...]]] = {}
        self._loose = tuple(pattern for pattern in self.patterns if pattern.head is None)
        self._group()
        self.matches: Callable[[Target], bool]
        if negated:
            self.matches = self._matches_none
        elif len(self.patterns) == 1:
            self.matches = self.patterns[0].matches
        else:
            self.matches = self._matches_any

    def _group(self) -> None:
        by_head: dict[str, list[ResourcePattern]] = {}
        for pattern in self.patterns:
            if pattern.head is not None:
                by_head.setdefault(pattern.head, []).append(pattern)
        for head, patterns in by_head.items():
            tails = [(pattern, pattern.tail) for pattern in patterns]
            self._heads[head] = (
                frozenset(tail.literal for _, tail in tails if tail is not None and tail.literal is not None),
                tuple(tail.prefix for _, tail in tails if tail is not None and tail.prefix is not None),
                tuple(
                    pattern for pattern, tail in tails if tail is None or (tail.literal is None and tail.prefix is None)
                ),
            )

    def _matches_any(self, target: Target) -> bool:
        group = self._heads.get(target.head)
        if group is not None:
            literals, prefixes, others = group
            if target.tail in literals or target.tail.startswith(prefixes):
                return True
            for pattern in others:
                if pattern.matches(target):
                    return True
        return any(pattern.matches(target) for pattern in self._loose)

    def _matches_none(self, target: Target) -> bool:
        if any(pattern.unresolved(target.entries) for pattern in self.patterns):
            return False  # "will not match any resource", rather than all but those that are known
        return not self._matches_any(target)

    @property
    def roots(self) -> frozenset[str] | None:
        """The only values of ``Target.root`` that can match; None when it may be any."""
        if self.negated:
            return None
        roots = [pattern.root for pattern in self.patterns]
        return None if None in roots else frozenset(root for root in roots if root is not None)

    @property
    def starts(self) -> frozenset[str] | None:
        """The only beginnings of a target's head and tail that can match; None when it may be any."""
        if self.negated:
            return None
        starts = [pattern.start for pattern in self.patterns]
        return None if None in starts else frozenset(start for start in starts if start is not None)
