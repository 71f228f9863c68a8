# SPDX-License-Identifier: Apache-2.0
"""OpenID Connect providers by boto3: what is registered comes back, and what cannot be is refused by its AWS code."""

from __future__ import annotations

from typing import Any

import pytest

from journeys.refusals import refused
from journeys.roles import ACCOUNT, Issuer, provider_arn, unique

THUMBPRINT = "990F4193972F2BECF12DDEDA5237F9C952F20D9E"


def make(iam: Any, **changes: Any) -> str:
    """A new provider; its ARN."""
    settings = {"Url": f"https://{unique('idp')}.example.org", "ClientIDList": ["app"], **changes}
    return str(iam.create_open_id_connect_provider(**settings)["OpenIDConnectProviderArn"])


def get(iam: Any, arn: str) -> Any:
    return iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)


def tags(iam: Any, arn: str, **page: Any) -> Any:
    return iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn, **page)


def test_a_provider_comes_back_as_it_was_registered(iam: Any) -> None:
    url = f"https://{unique('idp')}.example.org/tenant/1"
    answer = iam.create_open_id_connect_provider(
        Url=url,
        ClientIDList=["app", "other app", "app"],
        ThumbprintList=[THUMBPRINT],
        Tags=[{"Key": "team", "Value": "platform"}],
    )
    arn = answer["OpenIDConnectProviderArn"]
    assert arn == provider_arn(url)
    assert answer["Tags"] == [{"Key": "team", "Value": "platform"}]
    found = get(iam, arn)
    assert found["Url"] == url.removeprefix("https://")
    assert found["ClientIDList"] == ["app", "other app"]
    assert found["ThumbprintList"] == [THUMBPRINT.lower()]
    assert found["Tags"] == answer["Tags"]
    assert arn in [entry["Arn"] for entry in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]


def test_client_ids_are_added_and_taken_away(iam: Any) -> None:
    arn = make(iam)
    add, remove = iam.add_client_id_to_open_id_connect_provider, iam.remove_client_id_from_open_id_connect_provider
    for client_id in ("second", "second"):
        add(OpenIDConnectProviderArn=arn, ClientID=client_id)
    assert get(iam, arn)["ClientIDList"] == ["app", "second"]
    for client_id in ("app", "never there"):
        remove(OpenIDConnectProviderArn=arn, ClientID=client_id)
    assert get(iam, arn)["ClientIDList"] == ["second"]


def test_a_client_id_that_was_taken_away_is_an_audience_no_longer(own_issuer: Issuer) -> None:
    role, iam = own_issuer.role(), own_issuer.iam
    change = {"OpenIDConnectProviderArn": provider_arn(own_issuer.fake.issuer), "ClientID": "client"}
    assert own_issuer.assume(role)["Audience"] == "client"
    iam.remove_client_id_from_open_id_connect_provider(**change)
    assert refused(own_issuer.assume, role=role) == ("InvalidIdentityToken", 400)
    iam.add_client_id_to_open_id_connect_provider(**change)
    assert own_issuer.assume(role)["Audience"] == "client"


def test_tokens_of_a_provider_that_was_deleted_are_refused_and_its_sessions_last(own_issuer: Issuer) -> None:
    role, iam = own_issuer.role(), own_issuer.iam
    assert own_issuer.assume(role)["Credentials"]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider_arn(own_issuer.fake.issuer))
    assert refused(own_issuer.assume, role=role) == ("InvalidIdentityToken", 400)


def test_thumbprints_are_replaced(iam: Any) -> None:
    arn = make(iam, ThumbprintList=[THUMBPRINT])
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["0" * 40, "1" * 40])
    assert get(iam, arn)["ThumbprintList"] == ["0" * 40, "1" * 40]


def test_tags_are_added_taken_away_and_paged(iam: Any) -> None:
    arn = make(iam)
    wanted = [{"Key": key, "Value": key.upper()} for key in ("a", "b", "c")]
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=wanted)
    first = tags(iam, arn, MaxItems=2)
    assert first["IsTruncated"] is True
    assert first["Tags"] + tags(iam, arn, Marker=first["Marker"])["Tags"] == wanted
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=arn, TagKeys=["a", "c"])
    assert tags(iam, arn)["Tags"] == wanted[1:2]


def test_a_provider_is_deleted_as_often_as_one_likes(iam: Any) -> None:
    arn = make(iam)
    for _ in range(2):
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert refused(get, iam=iam, arn=arn) == ("NoSuchEntity", 404)


def test_an_issuer_is_registered_once(iam: Any) -> None:
    url = f"https://{unique('idp')}.example.org"
    make(iam, Url=url)
    assert refused(iam.create_open_id_connect_provider, Url=url, ClientIDList=["another"]) == (
        "EntityAlreadyExists",
        409,
    )


BAD_PROVIDERS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain http": ("ValidationError", {"Url": "http://idp.example.org"}),
    "no scheme": ("ValidationError", {"Url": "idp.example.org"}),
    "a query": ("ValidationError", {"Url": "https://idp.example.org/?a=b"}),
    "a user": ("ValidationError", {"Url": "https://me@idp.example.org"}),
    "six thumbprints": ("InvalidInput", {"ThumbprintList": [f"{number}" * 40 for number in range(6)]}),
    "101 client ids": ("LimitExceeded", {"ClientIDList": [f"app-{number}" for number in range(101)]}),
    "an empty client id": ("ValidationError", {"ClientIDList": [""]}),
}


@pytest.mark.parametrize("case", BAD_PROVIDERS)
def test_a_provider_that_cannot_be_is_refused(iam: Any, case: str) -> None:
    code, changes = BAD_PROVIDERS[case]
    settings = {"Url": f"https://{unique('idp')}.example.org", "ClientIDList": ["app"], **changes}
    assert refused(iam.create_open_id_connect_provider, **settings)[0] == code


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (f"arn:aws:iam::{ACCOUNT}:oidc-provider/nobody.example.org", "NoSuchEntity"),
        ("arn:aws:iam::999999999999:oidc-provider/nobody.example.org", "NoSuchEntity"),
        (f"arn:aws:iam::{ACCOUNT}:role/not-a-provider", "InvalidInput"),
        ("not an arn, but long enough", "InvalidInput"),
        ("short", "ValidationError"),
    ],
)
def test_what_is_no_provider_is_refused(iam: Any, arn: str, code: str) -> None:
    assert refused(get, iam=iam, arn=arn)[0] == code
