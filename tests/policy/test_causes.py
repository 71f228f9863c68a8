# SPDX-License-Identifier: Apache-2.0
"""
Which layer and which statement a denial names: section 9.2.
"""

from __future__ import annotations

from typing import Any

from daypass.policy import Cause, Kind, Layer
from policy.deciding import ALLOW, DENY, TRUST_STATEMENT, layer, levels, rcp, resource
from policy.making import (
    ALICE,
    AWAY,
    BOB,
    HOME,
    ROLE,
    SESSION,
    decided,
    named,
    request,
    statement,
)

# 9.2: causes


def test_the_cause_of_an_explicit_deny_is_named_in_order() -> None:
    everything: dict[str, Any] = {
        "scps": levels("allow", "deny"),
        "rcps": rcp(),
        "vpc_endpoint": named(ALLOW, DENY, kind=Kind.VPC_ENDPOINT, name="vpce"),
        "resource": resource("*", effect="Deny"),
        "boundary": layer("deny", Kind.BOUNDARY),
        "session": (layer("deny", Kind.SESSION),),
        "identity": (layer("allow", Kind.IDENTITY), layer("deny", Kind.IDENTITY)),
    }
    expected = [
        Cause(Layer.SCP, True, "level1", "scp", "", 1),
        Cause(Layer.RCP, True, "root", "rcp", "", 0),
        Cause(Layer.VPC_ENDPOINT, True, None, "vpce", "", 1),
        Cause(Layer.RESOURCE, True, None, "resource", "", 0),
        Cause(Layer.BOUNDARY, True, None, "boundary", "", 1),
        Cause(Layer.SESSION, True, None, "session", "", 1),
        Cause(Layer.IDENTITY, True, None, "identity", "", 1),
    ]
    causes = []
    for guard in list(everything):
        causes.append(decided(request(who=SESSION), **everything).cause)
        del everything[guard]
    assert causes == expected


def test_the_cause_of_an_implicit_deny_is_named_in_order() -> None:
    none = {
        "scps": levels("none"),
        "vpc_endpoint": layer("none", Kind.VPC_ENDPOINT),
        "resource": None,
        "identity": (layer("none", Kind.IDENTITY),),
        "boundary": layer("none", Kind.BOUNDARY),
        "session": (layer("none", Kind.SESSION),),
    }
    fixes: dict[str, Any] = {
        "scps": None,
        "vpc_endpoint": None,
        "resource": resource({"AWS": HOME}),
        "identity": (layer("allow", Kind.IDENTITY),),
        "boundary": None,
        "session": None,
    }
    causes = []
    for guard, fix in fixes.items():
        cause = decided(request(who=SESSION, account=AWAY), **none).cause
        assert cause is not None
        causes.append(cause.layer.value)
        none[guard] = fix
    assert causes == ["scp", "vpce", "resource", "identity", "boundary", "session"]
    assert decided(request(who=SESSION, account=AWAY), **none).allowed


def test_a_trust_policy_is_called_one_and_is_named_last_in_one_account() -> None:
    identity = (layer("allow", Kind.IDENTITY),)
    asked = request("sts:AssumeRole", ROLE, ALICE)
    trust = named(TRUST_STATEMENT | {"Principal": {"AWS": BOB.arn}}, kind=Kind.TRUST)
    for given in ({"resource": trust}, {}):
        cause = decided(asked, identity=identity, explicit_trust_required=True, **given).cause
        assert cause == Cause(Layer.TRUST, False)
    cause = decided(request("kms:Decrypt"), identity=identity, explicit_trust_required=True).cause
    assert cause == Cause(Layer.RESOURCE, False)


def test_the_sid_and_place_of_the_denying_statement_are_told() -> None:
    made = named(ALLOW, statement("Deny", Sid="Second"), statement("Deny", Sid="Third"), name="inline:p")
    assert decided(request(), identity=(made,)).cause == Cause(Layer.IDENTITY, True, None, "inline:p", "Second", 1)
