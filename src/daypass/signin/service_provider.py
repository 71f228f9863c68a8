# SPDX-License-Identifier: Apache-2.0
"""
What we are to identity providers: our metadata, and the keys that requests are signed and assertions encrypted with.

Keys belong to one registration (IAM API, UpdateSAMLProvider: AddPrivateKey), so there is metadata for each besides the general
one, which has none. The same keys sign requests where a provider wants that: its administrators know them already, and no key
stands for all accounts (docs/adr/0010-the-browser-door.md).

IAM takes bare keys, and providers want certificates. Those that stand in our metadata are made of the key alone, signed by
itself: whoever makes one again makes the same.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from starlette.responses import Response

from daypass.errors import EntityError, Reason, RequestError
from daypass.saml import ProviderMetadata, Signer, parse_metadata, service_provider_metadata
from daypass.signin.desk import Desk, Visit
from daypass.store import SamlProvider, View

MAX_AGE: Final = 900
"""Seconds that our metadata may be kept: a key that was added is to be used soon."""

CERTIFICATE_DAYS: Final = 3650
"""How long a certificate of ours says it is good, from the second in which its key was added. The key is what counts."""


def registered(view: View, visit: Visit) -> SamlProvider:
    """The provider that a path names. Raises EntityError."""
    provider = view.saml_providers.with_name(visit.path["account"], visit.path["provider"])
    if provider is None:
        raise EntityError(Reason.NO_SUCH_ENTITY, "No such identity provider.")
    return provider


class ServiceProvider:
    """Our side of each registration."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._certificate = functools.lru_cache(maxsize=256)(certificate)
        self._read = functools.lru_cache(maxsize=256)(parse_metadata)

    async def metadata(self, _visit: Visit) -> Response:
        """``GET /saml/metadata``: where answers go. It asks for nothing to be encrypted or signed for a key of ours."""
        return self._document((), requests_signed=False, allow_cbc=False)

    async def metadata_of_a_registration(self, visit: Visit) -> Response:
        """``GET /saml/metadata/{account}/{provider}``: the same, with the keys that were added to this provider."""
        provider = registered(self._desk.sts.store.view(), visit)
        # NOTE: providers that read here that requests are signed refuse those that are not, whatever they said they want.
        signed = self.said_by(provider).wants_signed_requests
        allow_cbc = self._desk.sts.saml.rules_for(provider).allow_cbc
        return self._document(self.signers(provider), requests_signed=signed, allow_cbc=allow_cbc)

    def signers(self, provider: SamlProvider) -> tuple[Signer, ...]:
        """The keys of a provider with their certificates, the newest first."""
        opened = self._desk.sts.saml.private_keys(provider)
        return tuple(
            Signer(key, self._certificate(key, self._desk.entity_id, stored.created_at))
            for key, stored in zip(opened, reversed(provider.private_keys), strict=True)
        )

    def said_by(self, provider: SamlProvider) -> ProviderMetadata:
        """What a provider's metadata says. Raises ProofError."""
        return self._read(provider.metadata)

    def signer_for(self, provider: SamlProvider) -> Signer | None:
        """The key that signs requests to this provider; None where it does not want them signed. Raises RequestError."""
        if not self.said_by(provider).wants_signed_requests:
            return None
        signers = self.signers(provider)
        if not signers:
            message = "This identity provider wants signed requests, and no private key was added to its registration."
            raise RequestError(Reason.SIGN_IN_KEY_MISSING, message)
        # The oldest: when a second key is added, providers still have metadata of ours with the first one only.
        return signers[-1]

    def _document(self, signers: tuple[Signer, ...], *, requests_signed: bool, allow_cbc: bool) -> Response:
        certificates = tuple(signer.certificate for signer in signers)
        body = service_provider_metadata(
            entity_id=self._desk.entity_id,
            consumer_url=self._desk.consumer_url,
            signing_certificates=certificates,
            encryption_certificates=certificates,
            requests_signed=requests_signed and bool(certificates),
            allow_cbc=allow_cbc,
        )
        headers = {"cache-control": f"public, max-age={MAX_AGE}"}
        return Response(body, 200, headers, "application/samlmetadata+xml")


def certificate(key: RSAPrivateKey, entity_id: str, since: int) -> bytes:
    """
    A certificate of a key, in DER, signed by itself; it begins at ``since`` (an instant). The same for the same.
    """
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    serial = int.from_bytes(hashlib.sha256(public).digest()[:16], "big") >> 1 or 1
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, entity_id[:64])])
    begins = datetime.datetime.fromtimestamp(since, datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=CERTIFICATE_DAYS))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
