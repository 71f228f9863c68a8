# SPDX-License-Identifier: Apache-2.0
"""
When services were last accessed (IAM User Guide, "Refine permissions using last accessed information"):
GenerateServiceLastAccessedDetails, GetServiceLastAccessedDetails, GetServiceLastAccessedDetailsWithEntities.

A job is a question that is remembered; it is answered from what is known when the answer is fetched, and is complete at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from daypass.access import Permitted
from daypass.access.policies import groups_of, policy_texts
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.errors import EntityError, Reason
from daypass.iam.granted_services import granted_services, service_names
from daypass.iam.limits import ACCESS_REPORTS_KEPT
from daypass.iam.named_entities import Entity, entity_of
from daypass.iam.paging import page
from daypass.iam.service import Iam
from daypass.iam.usage import newest, uses_of
from daypass.store import AccessReport, Group, LastUse, ManagedPolicy, Role, User, View

if TYPE_CHECKING:
    from daypass.store import Transaction

_ACTION_LEVEL: Final = "ACTION_LEVEL"
_NO_JOB: Final = "The job with the specified JobId cannot be found."

Used = tuple[User | Role, list[LastUse]]
"""Somebody, and what they last used."""
Use = tuple[LastUse, str]
"""A use, and the ARN of whose it was."""


async def generate_details(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Ask about a user, group, role or managed policy; answers the job's id (GenerateServiceLastAccessedDetails)."""
    account, entity_arn = permitted.caller.principal.account, text(parameters, "Arn")
    report = AccessReport(
        account=account,
        unique_id=str(uuid.uuid4()),
        entity_arn=entity_arn,
        granularity=optional_text(parameters, "Granularity") or "SERVICE_LEVEL",
        created_at=int(permitted.facts.now),
        requested_by=permitted.caller.principal.user_id,
    )
    async with iam.store.transaction() as transaction:
        entity = entity_of(transaction.view, account, entity_arn)
        if not isinstance(entity, Group):
            permitted.with_tags(entity.tags)
        await _make_room(transaction, account)
        await transaction.put(report)
    return {"JobId": report.unique_id}


async def _make_room(transaction: Transaction, account: str) -> None:
    reports = transaction.view.access_reports.of(account)
    surplus = len(reports) - ACCESS_REPORTS_KEPT + 1
    if surplus > 0:
        for old in sorted(reports, key=lambda report: report.created_at)[:surplus]:
            await transaction.delete(old)


async def get_details(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """
    The services that the entity may access, by namespace, and who last did (GetServiceLastAccessedDetails).

    Action level shows every action that was used; AWS tracks some only.
    """
    view = iam.store.view()
    report, entity = _asked(view, permitted, parameters)
    used = _by_service(_used(view, entity, permitted))
    services = sorted(granted_services(_documents(entity, view)))
    chosen, more = page(services, parameters, key=str)
    actions = report.granularity == _ACTION_LEVEL
    return {
        **_job(report),
        "JobType": report.granularity,
        "ServicesLastAccessed": [_service(service, used.get(service, []), actions=actions) for service in chosen],
        **more,
    }


async def get_details_with_entities(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """
    Who could have accessed one service by the entity's policies, the latest first, and when they last did
    (GetServiceLastAccessedDetailsWithEntities).
    """
    view = iam.store.view()
    report, entity = _asked(view, permitted, parameters)
    service = text(parameters, "ServiceNamespace")
    check_namespaces((service,))
    granted = service in granted_services(_documents(entity, view))
    entries = [(one, newest(_of(uses, service))) for one, uses in _used(view, entity, permitted)] if granted else []
    entries.sort(key=_latest_first)
    chosen, more = page(entries, parameters, key=_latest_first)
    return {**_job(report), "EntityDetailsList": [_entity_details(*entry) for entry in chosen], **more}


def check_namespaces(namespaces: Iterable[str]) -> None:
    """Raise EntityError for what is no namespace of a service."""
    for namespace in namespaces:
        if namespace not in service_names():
            raise EntityError(Reason.INVALID_INPUT, f"Invalid service namespace: {namespace}")


def _asked(view: View, permitted: Permitted, parameters: Parameters) -> tuple[AccessReport, Entity]:
    """The job, which is answered to whom asked for it and nobody else, and whom it is about."""
    principal = permitted.caller.principal
    report = view.access_reports.with_key(text(parameters, "JobId"))
    if report is None or (report.account, report.requested_by) != (principal.account, principal.user_id):
        raise EntityError(Reason.NO_SUCH_ENTITY, _NO_JOB)
    return report, entity_of(view, principal.account, report.entity_arn)


def _job(report: AccessReport) -> dict[str, object]:
    return {
        "JobStatus": "COMPLETED",
        "JobCreationDate": report.created_at,
        "JobCompletionDate": report.created_at,
    }


def _documents(entity: Entity, view: View) -> list[str]:
    """The policies that count for an entity: those of a user's groups too, and of boundaries none."""
    if isinstance(entity, ManagedPolicy):
        return [entity.document]
    texts = list(policy_texts(entity, view))
    if isinstance(entity, User):
        for group in groups_of(entity, view):
            texts += policy_texts(group, view)
    return [document for _, document in texts]


def _used(view: View, entity: Entity, permitted: Permitted) -> Iterator[Used]:
    """The users and roles behind an entity, each once, with what they last used."""
    account, now = permitted.caller.principal.account, permitted.facts.now
    for one in {one.unique_id: one for one in _behind(view, account, entity)}.values():
        yield one, uses_of(view, account, one.unique_id, now)


def _behind(view: View, account: str, entity: Entity) -> Iterator[User | Role]:
    if isinstance(entity, User | Role):
        yield entity
    elif isinstance(entity, Group):
        yield from view.users.linked(account, ("group", entity.unique_id))
    else:
        link = ("policy", entity.arn)
        yield from view.users.linked(account, link)
        yield from view.roles.linked(account, link)
        for group in view.groups.linked(account, link):
            yield from view.users.linked(account, ("group", group.unique_id))


def _of(uses: Iterable[LastUse], service: str) -> list[LastUse]:
    return [use for use in uses if use.service == service]


def _by_service(used: Iterable[Used]) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = {}
    for one, uses in used:
        for use in uses:
            found.setdefault(use.service, []).append((use, one.arn))
    return found


def _service(service: str, uses: Sequence[Use], *, actions: bool) -> dict[str, object]:
    members: dict[str, object] = {
        "ServiceName": service_names()[service],
        "ServiceNamespace": service,
        "TotalAuthenticatedEntities": len({entity_arn for _, entity_arn in uses}),
    }
    if not uses:
        return members
    last, entity_arn = max(uses, key=_instant)
    members["LastAuthenticated"] = last.used_at
    members["LastAuthenticatedEntity"] = entity_arn
    members["LastAuthenticatedRegion"] = last.region
    if actions:
        members["TrackedActionsLastAccessed"] = _actions(uses)
    return members


def _actions(uses: Iterable[Use]) -> list[dict[str, object]]:
    """The last use of each action, by name, whoever it was."""
    latest = {use[0].action: use for use in sorted(uses, key=_instant)}
    return [
        {
            "ActionName": action,
            "LastAccessedEntity": entity_arn,
            "LastAccessedTime": use.used_at,
            "LastAccessedRegion": use.region,
        }
        for action, (use, entity_arn) in sorted(latest.items())
    ]


def _instant(use: Use) -> int:
    return use[0].used_at


def _latest_first(entry: tuple[User | Role, LastUse | None]) -> str:
    """A key that sorts the latest first, those without a use last, and is a place to go on from."""
    one, use = entry
    return f"{10**12 - (0 if use is None else use.used_at):013d}{one.unique_id}"


def _entity_details(one: User | Role, use: LastUse | None) -> dict[str, object]:
    members: dict[str, object] = {
        "EntityInfo": {
            "Arn": one.arn,
            "Name": one.name,
            "Type": "USER" if isinstance(one, User) else "ROLE",
            "Id": one.unique_id,
            "Path": one.path,
        }
    }
    return members if use is None else {**members, "LastAuthenticated": use.used_at}
