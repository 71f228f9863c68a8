# SPDX-License-Identifier: Apache-2.0
"""
The decision (IAM User Guide, "Policy evaluation logic", within an account and across accounts).

    request + layers -- examine --> findings, a verdict per layer -- conclude --> decision

``conclude`` is a truth table and knows no policies; ``explain`` shows it the same findings. The order:

A. Rules of the operation itself (GetCallerIdentity, GetSessionToken, AssumeRole by root).
B. Which layers apply to this caller.
C. A Deny in any of them denies.
D. Every organisation level and the endpoint must allow.
E. The caller's side: identity, boundary and session policies must allow together; root needs none, but in a session of
   AssumeRoot, to which nothing is granted beyond its task policy.
F. Callers without an account (services, proofs, nobody) need an unlimited grant of the resource's policy.
G. In one account a grant is enough as far as its class reaches, and so is the caller's side, unless explicit trust is
   required.
H. Across accounts both are needed.

Default deny: what no rule allows is denied. There is no shortcut for owners or administrators.
"""

from __future__ import annotations

import enum

from daypass import principal as who
from daypass.policy.actions import split_action
from daypass.policy.applying import applying, reach, sources_of
from daypass.policy.document import Kind
from daypass.policy.policy_set import PolicySet
from daypass.policy.principals import Grant
from daypass.policy.request import Cause, Decision, Layer, Layers, Level, NamedPolicy, Outcome, Request
from daypass.policy.resources import Target
from daypass.policy.statement import Statement


class Verdict(enum.IntEnum):
    """What one layer says. ``ABSENT``: it does not apply, and limits nothing."""

    ABSENT = 0
    NONE = 1
    ALLOW = 2
    DENY = 3


ABSENT, NONE, ALLOW, DENY = Verdict.ABSENT, Verdict.NONE, Verdict.ALLOW, Verdict.DENY


class Findings:
    """
    The verdict of every layer, and what else the conclusion depends on.

    ``identity`` is ABSENT for callers that have no identity policies: root (``is_root``), and the sessions that root made
    with GetFederationToken. ``has_account``: the caller belongs to an account. ``for_a_task``: root, in a session of
    AssumeRoot, for which nothing counts that its task policy does not allow. ``trust_required``: rule G's exception.
    """

    __slots__ = (
        "boundary",
        "for_a_task",
        "grant",
        "has_account",
        "identity",
        "is_root",
        "rcp",
        "resource",
        "resource_layer",
        "same_account",
        "scp",
        "session",
        "trust_required",
        "vpce",
    )

    def __init__(self, request: Request, layers: Layers) -> None:
        principal = request.principal
        self.scp = self.rcp = self.vpce = self.resource = ABSENT
        self.identity = self.boundary = self.session = ABSENT
        self.grant = Grant.NONE
        self.is_root = isinstance(principal, who.Root)
        self.for_a_task = isinstance(principal, who.Root) and principal.for_a_task
        self.has_account = isinstance(principal, who.AccountPrincipal)
        self.same_account = (
            isinstance(principal, who.AccountPrincipal) and principal.account == request.resource_account
        )
        self.trust_required = layers.explicit_trust_required
        self.resource_layer = Layer.RESOURCE
        named = layers.resource
        if (
            named.policy.kind is Kind.TRUST
            if named is not None
            else layers.explicit_trust_required and _is_sts(request)
        ):
            self.resource_layer = Layer.TRUST


def _is_sts(request: Request) -> bool:
    return split_action(request.action)[0] == "sts"


def decide(request: Request, layers: Layers) -> Decision:
    """
    Whether the policies allow the request, and if not, what denies it.

    Total: every request and every compiled policy give a decision. **What it does not do:** see to it that all of the
    caller's policies are in the layers; a guardrail that is left out does not guard.
    """
    by_operation = decide_by_operation(request)
    return by_operation if by_operation is not None else decide_by_policies(request, layers)


def decide_by_policies(request: Request, layers: Layers) -> Decision:
    """Rules B to H, for a request that ``decide_by_operation`` has nothing to say about. **It does not ask whether it has.**"""
    target = Target(request.resource, request.context.entries)
    if _only_resource(layers) and type(request.principal) is who.FederatedCaller:
        # Rule F and nothing else: a proof is brought on every sign-in, and deserves the short way to a yes.
        grant = with_principal(layers.resource, request, layers, target)[1] if layers.resource else Grant.NONE
        if grant is Grant.UNLIMITED:
            return _ALLOWED[grant]
    if _only_identity(request, layers) and verdict_of(layers.identity, request.action, target) is ALLOW:
        return _ALLOWED[Grant.NONE]  # rule G, for most requests of users and roles
    findings = examine(request, layers, target)
    outcome, layer = conclude(findings)
    if outcome is Outcome.ALLOWED:
        return _ALLOWED[findings.grant]
    if outcome is Outcome.EXPLICIT_DENY:
        return Decision(outcome, find_deny(request, layers, target, layer), findings.grant)
    level = find_silent_level(request, layers, target, layer)
    return Decision(outcome, Cause(layer, explicit=False, level=level), findings.grant)


def _only_resource(layers: Layers) -> bool:
    return layers.rcps is None and layers.vpc_endpoint is None


def _only_identity(request: Request, layers: Layers) -> bool:
    """Whether it is a user or a role's session, in its own account, and nothing but its identity policies applies."""
    principal = request.principal
    return (
        (type(principal) is who.RoleSession or type(principal) is who.User)
        and principal.account == request.resource_account
        and layers.resource is None
        and layers.session is None
        and layers.boundary is None
        and layers.scps is None
        and not layers.explicit_trust_required
        and _only_resource(layers)
    )


_ALLOWED = {grant: Decision(Outcome.ALLOWED, None, grant) for grant in Grant}
_NOT_FOR_ROOT = Decision(Outcome.IMPLICIT_DENY, Cause(Layer.OPERATION, explicit=False))
_RULED = frozenset({"getcalleridentity", "getsessiontoken", "assumerole"})


def decide_by_operation(request: Request) -> Decision | None:
    """Rule A: what policies cannot change. None for every other request."""
    action = request.action
    if len(action) < 14 or action[:4].lower() != "sts:":
        return None
    name = split_action(action)[1]
    if name not in _RULED:
        return None
    principal = request.principal
    if name == "getcalleridentity" and not isinstance(principal, who.FederatedCaller | who.Anonymous):
        return _ALLOWED[Grant.NONE]
    if name == "getsessiontoken" and request.long_term_credentials and isinstance(principal, who.User | who.Root):
        return _ALLOWED[Grant.NONE]
    if name == "assumerole" and isinstance(principal, who.Root):
        return _NOT_FOR_ROOT
    return None


def examine(request: Request, layers: Layers, target: Target) -> Findings:
    """Rule B: which layers apply, and what each of them says."""
    findings = Findings(request, layers)
    action = request.action
    if findings.has_account:
        if layers.scps is not None and not layers.service_linked_role:
            findings.scp = _levels(layers.scps, action, target)
        _examine_caller(findings, request, layers, target)
    if layers.rcps is not None and rcps_apply(request, layers):
        findings.rcp = _denied_by_level(layers.rcps, action, target)
    if layers.vpc_endpoint is not None:
        findings.vpce = with_principal(layers.vpc_endpoint, request, layers, target)[0]
    if layers.resource is not None:
        findings.resource, findings.grant = with_principal(layers.resource, request, layers, target)
    return findings


def _examine_caller(findings: Findings, request: Request, layers: Layers, target: Target) -> None:
    """The caller's own side: identity and boundary of users and roles, session policies of sessions."""
    principal = request.principal
    if isinstance(principal, who.Root):
        if principal.for_a_task:
            findings.session = verdict_of(layers.session or (), request.action, target)
        return
    federated = isinstance(principal, who.FederatedUser)
    made_by_root = isinstance(principal, who.FederatedUser) and isinstance(principal.parent, who.Root)
    if not made_by_root:
        findings.identity = verdict_of(layers.identity, request.action, target)
        if layers.boundary is not None:
            findings.boundary = verdict_of((layers.boundary,), request.action, target)
    if federated or isinstance(principal, who.RoleSession):
        if layers.session is not None:
            findings.session = verdict_of(layers.session, request.action, target)
        elif federated:
            findings.session = NONE  # no policy passed to GetFederationToken means no permissions


def rcps_apply(request: Request, layers: Layers) -> bool:
    """Whether resource control policies speak about this service and this caller."""
    return not layers.service_linked_role and split_action(request.action)[0] in layers.rcp_services


def verdict_of(policies: tuple[NamedPolicy, ...], action: str, target: Target) -> Verdict:
    """What a set of policies without principals says: deny if any statement denies, else allow if any allows."""
    if isinstance(policies, PolicySet):
        shelves = policies.shelves(action)
        if shelves.deny.any_covers(target):
            return DENY
        return ALLOW if shelves.allow.any_covers(target) else NONE
    verdict = NONE
    for named in policies:
        shelves = named.policy.shelves(action)
        if shelves.deny.any_covers(target):
            return DENY
        if verdict is NONE and shelves.allow.any_covers(target):
            verdict = ALLOW
    return verdict


def _levels(levels: tuple[Level, ...], action: str, target: Target) -> Verdict:
    """Organisation policies: a deny at any level denies, and every level must allow for itself."""
    worst = ALLOW
    for level in levels:
        verdict = verdict_of(level.policies, action, target)
        if verdict is DENY:
            return DENY
        if verdict is NONE:
            worst = NONE
    return worst


def _denied_by_level(levels: tuple[Level, ...], action: str, target: Target) -> Verdict:
    """RCPs only deny: RCPFullAWSAccess, which allows everything, is attached to every level."""
    denied = any(verdict_of(level.policies, action, target) is DENY for level in levels)
    return DENY if denied else ALLOW


def with_principal(named: NamedPolicy, request: Request, layers: Layers, target: Target) -> tuple[Verdict, Grant]:
    """What a policy with principals says, and the best class of its applying Allow statements."""
    shelves = named.policy.shelves(request.action)
    for shelf_statement in _candidates(shelves.deny.line, shelves.deny.by_root, target):
        if reach(shelf_statement, named, request, layers) and shelf_statement.covers(target):
            return DENY, Grant.NONE
    best = Grant.NONE
    for shelf_statement in _candidates(shelves.allow.line, shelves.allow.by_root, target):
        grant = reach(shelf_statement, named, request, layers)
        if grant > best and shelf_statement.covers(target):
            best = grant
    return (ALLOW if best else NONE), best


def _candidates(
    line: tuple[Statement, ...], by_root: dict[str, list[Statement]], target: Target
) -> tuple[Statement, ...]:
    return (*line, *by_root.get(target.root, ())) if by_root else line


def conclude(found: Findings) -> tuple[Outcome, Layer]:
    """Rules C to H. The layer is the one to name as the cause; it means nothing when the request is allowed."""
    denying = _denying_layer(found)
    if denying is not None:
        return Outcome.EXPLICIT_DENY, denying
    for verdict, layer in ((found.scp, Layer.SCP), (found.rcp, Layer.RCP), (found.vpce, Layer.VPC_ENDPOINT)):
        if verdict is NONE:
            return Outcome.IMPLICIT_DENY, layer
    if _allows(found):
        return Outcome.ALLOWED, Layer.OPERATION
    return Outcome.IMPLICIT_DENY, _silent_layer(found)


def _denying_layer(found: Findings) -> Layer | None:
    """Rule C, in the order in which causes are named."""
    if found.scp is DENY:
        return Layer.SCP
    if found.rcp is DENY:
        return Layer.RCP
    if found.vpce is DENY:
        return Layer.VPC_ENDPOINT
    if found.resource is DENY:
        return found.resource_layer
    if found.boundary is DENY:
        return Layer.BOUNDARY
    if found.session is DENY:
        return Layer.SESSION
    return Layer.IDENTITY if found.identity is DENY else None


def _allows(found: Findings) -> bool:
    """Rules E to H, when nothing denies and the organisation and the endpoint allow."""
    grant = found.grant
    if not found.has_account:
        return grant is Grant.UNLIMITED
    if found.for_a_task and found.session is not ALLOW:
        return False  # whomever a resource's policy names: root is here for its task
    unhindered = found.boundary is not NONE and found.session is not NONE
    caller_side = found.identity is not NONE and unhindered
    if not found.same_account:
        return grant is not Grant.NONE and caller_side
    if grant is Grant.UNLIMITED or (grant is Grant.LIMITED and unhindered):
        return True
    if found.trust_required:
        return grant is Grant.DELEGATED and caller_side
    return caller_side


def _silent_layer(found: Findings) -> Layer:
    """Which layer to name when nothing denies and something is missing (ours; AWS names exactly one)."""
    if not found.has_account or (not found.same_account and found.grant is Grant.NONE):
        return found.resource_layer
    if found.identity is NONE:
        return Layer.IDENTITY
    if found.boundary is NONE:
        return Layer.BOUNDARY
    if found.session is NONE:
        return Layer.SESSION
    return found.resource_layer


def find_deny(request: Request, layers: Layers, target: Target, layer: Layer) -> Cause:
    """The first statement that denies, of a layer that denies. Only denied requests pay for the search."""
    first = next(
        placed
        for source in sources_of(layers, layer)
        for placed in applying(source, request, layers, target, denies=True)
    )
    return first.denial()


def find_silent_level(request: Request, layers: Layers, target: Target, layer: Layer) -> str | None:
    """The first organisation level that does not allow; None for other layers."""
    if layer is not Layer.SCP:
        return None
    levels = layers.scps or ()
    return next(level.name for level in levels if verdict_of(level.policies, request.action, target) is NONE)
