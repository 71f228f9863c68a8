# SPDX-License-Identifier: Apache-2.0
"""
SAML providers: the registration becomes what ``daypass.saml`` trusts and expects, and a verified assertion becomes an identity.

    UnverifiedResponse -- verify_response, by the registration --> Assertion -- read --> SamlProof (Identity, roles, session)

What the attributes mean is in ``saml_attributes`` and ``saml_context``. **Replay is the caller's**: an assertion is spent with
``spend``, in the transaction that uses it.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal, Protocol

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from daypass.audit import Proven
from daypass.errors import EntityError, ProofError, Reason
from daypass.federation.saml_attributes import SessionWords, session_words
from daypass.federation.saml_context import condition_keys, name_qualifier_of, subject_type
from daypass.identity import Identity
from daypass.saml import (
    Assertion,
    Expectations,
    ProviderMetadata,
    Trust,
    UnverifiedResponse,
    parse_metadata,
    verify_response,
)
from daypass.saml.limits import MIN_KEY_BITS
from daypass.sealing import MasterKey
from daypass.store import SamlPrivateKey, SamlProvider

if TYPE_CHECKING:
    from daypass.store import Transaction

AWS_NAMES: Final = ("https://signin.aws.amazon.com/saml", "urn:amazon:webservices")
"""What AWS's service provider is called: where it is signed in to, which is an audience too, and its entity id."""

SPENT_ASSERTION: Final = "saml-assertion"
"""What the store calls an assertion that was used."""

EXPIRES_SOON: Final = 30 * 86_400
"""Seconds before the end of metadata or of a certificate in which that is reported."""

AWS_WORDS: Final[Mapping[Reason, str]] = {
    Reason.SAML_ISSUER_MISMATCH: "Issuer not present in specified provider",
    Reason.SAML_SIGNATURE_INVALID: "Response signature invalid",
    Reason.SAML_DIGEST_MISMATCH: "Response signature invalid",
    Reason.SAML_AUDIENCE_MISMATCH: "Response does not contain the required audience.",
}
"""How AWS says it (IAM User Guide, "Troubleshoot SAML federation with IAM"), where it does: people look for these sentences."""

Replay = Literal["strict", "aws"]


class ProviderRules(msgspec.Struct, frozen=True):
    """What the operator allows one provider beyond the rules for all (docs/settings.md, the configuration file)."""

    allow_sha1: bool = False
    allow_small_rsa: bool = False
    allow_cbc: bool = False
    replay: Replay = "strict"


class SamlRules(msgspec.Struct, frozen=True):
    """The operator's rules: whether AWS's names are taken for ours, and what single providers, by ARN, are allowed."""

    accept_aws_names: bool = False
    providers: Mapping[str, ProviderRules] = {}


class SamlLog(Protocol):
    """Where it is said that a registration comes to its end, and that an exception was made use of."""

    def saml_expires(self, *, provider_arn: str, what: str, at: int, over: bool) -> None:
        """``what`` of a provider ends ``at`` an instant, or has ended (``over``)."""

    def saml_weak(self, *, provider_arn: str, algorithm: str, key_bits: int, certificate: str) -> None:
        """An assertion was accepted whose signature is weaker than the rules for all allow. ``certificate``: its SHA-256."""


class SamlProof(msgspec.Struct, frozen=True):
    """
    A verified assertion, and what it says to STS.

    - ``roles``: (role ARN, provider ARN), as it names them: nothing is known of them yet.
    - ``session_duration``: seconds that its sessions may last, or None.
    - ``strict``: it may be used once. ``weak``: the operator's exceptions without which it would have been refused.
    """

    identity: Identity
    assertion: Assertion
    roles: tuple[tuple[str, str], ...]
    session_name: str
    session_duration: int | None
    subject_type: str
    name_qualifier: str
    strict: bool
    weak: tuple[str, ...] = ()

    def proven(self) -> Proven:
        """Who it proves, for the audit trail."""
        assertion, weak = self.assertion, self.weak if self.strict else (*self.weak, "replay")
        return Proven(
            "SAMLUser",
            self.identity.provider_arn,
            self.name_qualifier,
            self.identity.subject,
            assertion.assertion_id,
            assertion.signed_by,
            weak,
        )

    def __repr__(self) -> str:
        return "SamlProof(...)"


class SamlIdentities:
    """
    Responses of registered providers become proofs. One is made per process.

    ``url``: where clients reach this service, without a slash at its end; ``master`` opens the private keys.
    """

    def __init__(self, url: str, master: MasterKey, rules: SamlRules, log: SamlLog) -> None:
        self._url = url
        self._rules = rules
        self._log = log
        self._reported: set[tuple[str, str, int, bool]] = set()
        self._keys = functools.lru_cache(maxsize=256)(functools.partial(_private_keys, master))

    def identify(
        self,
        provider: SamlProvider,
        response: UnverifiedResponse,
        *,
        now: float,
        request_ids: frozenset[str] | None = None,
    ) -> SamlProof:
        """
        Whom this provider's response names, for STS.

        1. The registration has not come to its end.
        2. The response is verified, by the registration and nothing else.
        3. What the attributes say to STS is read.

        ``request_ids``: as ``Expectations`` has it. Raises ProofError.
        """
        said = _said_by(provider.metadata)
        self.report_expiry(provider, now)
        if said.valid_until is not None and said.valid_until <= now:  # 1
            raise ProofError(Reason.SAML_PROVIDER_EXPIRED, "The metadata of the specified provider has expired.")
        rules = self.rules_for(provider)
        trust = Trust(
            said.entity_id,
            said.certificates,
            allow_sha1=rules.allow_sha1,
            allow_small_rsa=rules.allow_small_rsa,
            allow_cbc=rules.allow_cbc,
            decryption_keys=self.private_keys(provider),
            encryption_required=provider.encryption_mode == "Required",
        )
        audiences, recipients = self._names(provider)
        try:
            assertion = verify_response(response, trust, Expectations(audiences, recipients, now, request_ids))  # 2
        except ProofError as error:
            raise ProofError(error.reason, AWS_WORDS.get(error.reason, str(error))) from error
        weak: tuple[str, ...] = ("cbc",) if assertion.encrypted_with_cbc else ()
        if rules.allow_sha1 or rules.allow_small_rsa:
            weak = (*weak, *self._weakness(provider, assertion, said))
        return _proof(provider, assertion, session_words(assertion.attributes), rules, now, weak)  # 3

    def _weakness(self, provider: SamlProvider, assertion: Assertion, said: ProviderMetadata) -> tuple[str, ...]:
        """What of the signature is weaker than the rules for all allow, which is reported too."""
        bits = _key_bits(assertion.signed_by, said.certificates)
        sha1, small = assertion.sha1, 0 < bits < MIN_KEY_BITS
        if sha1 or small:
            self._log.saml_weak(
                provider_arn=provider.arn,
                algorithm=assertion.signed_with,
                key_bits=bits,
                certificate=assertion.signed_by,
            )
        return (*(("sha1",) if sha1 else ()), *(("small-rsa",) if small else ()))

    def _names(self, provider: SamlProvider) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What audiences and recipients may be: our names and, where the operator says so, AWS's."""
        audiences: tuple[str, ...] = (f"{self._url}/saml/metadata",)
        recipients: tuple[str, ...] = (f"{self._url}/saml",)
        if self._rules.accept_aws_names:
            # The form with the provider's id is that of providers which encrypt (IAM User Guide, "Configure SAML assertions").
            own = f"{AWS_NAMES[0]}/acs/{provider.uuid}"
            audiences, recipients = (*audiences, *AWS_NAMES, own), (*recipients, AWS_NAMES[0], own)
        return audiences, recipients

    def rules_for(self, provider: SamlProvider) -> ProviderRules:
        """What the operator allows a provider."""
        return self._rules.providers.get(provider.arn, ProviderRules())

    def private_keys(self, provider: SamlProvider) -> tuple[RSAPrivateKey, ...]:
        """The private keys of a provider, opened, the newest first. Kept in memory while they are used."""
        return self._keys(provider.arn, provider.private_keys)

    def report_expiry(self, provider: SamlProvider, now: float) -> None:
        """Say, once in the life of this process, that metadata or a certificate ends within EXPIRES_SOON, or has ended."""
        for what, at in _ends(provider.metadata):
            over = at <= now
            seen = (provider.arn, what, at, over)
            if at - now <= EXPIRES_SOON and seen not in self._reported:
                self._reported.add(seen)
                self._log.saml_expires(provider_arn=provider.arn, what=what, at=at, over=over)

    def ends_of(self, provider: SamlProvider) -> tuple[tuple[str, int], ...]:
        """What of a registration comes to an end, and at which instant, for metrics. Raises ProofError."""
        return _ends(provider.metadata)

    def report_expiries(self, providers: Iterable[SamlProvider], now: float) -> None:
        """The same for all of them, at the start."""
        for provider in providers:
            try:
                self.report_expiry(provider, now)
            except ProofError:  # its metadata is not accepted by this version: whoever uses it is told
                continue


def _proof(
    provider: SamlProvider,
    assertion: Assertion,
    words: SessionWords,
    rules: ProviderRules,
    now: float,
    weak: tuple[str, ...],
) -> SamlProof:
    qualifier = name_qualifier_of(assertion.issuer, provider.account, provider.name)
    ends = [int(now) + words.duration] if words.duration is not None else []
    if assertion.session_not_on_or_after is not None:
        ends.append(assertion.session_not_on_or_after)
    not_after = min(ends) if ends else None
    if not_after is not None and not_after <= now:  # within the leeway of clocks, but nothing could be done with it
        raise ProofError(Reason.SAML_EXPIRED, "The session of the assertion has ended.")
    identity = Identity(
        account=provider.account,
        provider_arn=provider.arn,
        provider=assertion.issuer,
        subject=assertion.subject,
        audience=assertion.recipient,
        context=condition_keys(assertion, provider.account, provider.name),
        session_tags=words.tags,
        transitive_tag_keys=words.transitive_tag_keys,
        source_identity=words.source_identity,
        not_after=not_after,
    )
    return SamlProof(
        identity,
        assertion,
        words.roles,
        words.session_name,
        words.duration,
        subject_type(assertion.subject_format),
        qualifier,
        strict=rules.replay == "strict" or assertion.one_time_use,
        weak=weak,
    )


async def spend(proof: SamlProof, transaction: Transaction, now: float) -> None:
    """
    Use the assertion up, if it may be used once only. Raises ProofError (SAML_REPLAYED) when it was used before.

    Whichever registration of its provider it was used with: an assertion that was used is worth nothing in any account.
    """
    if not proof.strict:
        return
    assertion = proof.assertion
    key = hashlib.sha256(f"{assertion.issuer}\0{assertion.assertion_id}".encode()).hexdigest()
    try:
        await transaction.spend(SPENT_ASSERTION, key, until=assertion.replay_until, now=now)
    except EntityError:
        message = "The assertion was used before. Each can be used once; sign in again for another."
        raise ProofError(Reason.SAML_REPLAYED, message) from None


def private_key_label(provider_arn: str, key_id: str) -> bytes:
    """What a private key is wrapped with, so that a row copied to another provider's does not open."""
    return f"daypass saml private key v1 {provider_arn} {key_id}".encode()


def _private_keys(master: MasterKey, provider_arn: str, keys: tuple[SamlPrivateKey, ...]) -> tuple[RSAPrivateKey, ...]:
    """The private keys of a provider, opened, the newest first."""
    return tuple(_private_key(master, provider_arn, key) for key in reversed(keys))


def _private_key(master: MasterKey, provider_arn: str, key: SamlPrivateKey) -> RSAPrivateKey:
    der = master.unwrap(key.wrapped, private_key_label(provider_arn, key.key_id))
    # It was checked before it was stored, and its wrapping authenticates it: checking it again takes 40 ms.
    private = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(private, RSAPrivateKey):
        raise TypeError("a SAML private key that is not RSA")
    return private


def _key_bits(fingerprint: str, certificates: Iterable[bytes]) -> int:
    """The size of the RSA key of the certificate with this SHA-256; 0 for a key of another kind."""
    for certificate in certificates:
        if hashlib.sha256(certificate).hexdigest() == fingerprint:
            key = x509.load_der_x509_certificate(certificate).public_key()
            return key.key_size if isinstance(key, RSAPublicKey) else 0
    return 0


@functools.lru_cache(maxsize=256)
def _said_by(metadata: str) -> ProviderMetadata:
    return parse_metadata(metadata)


def provider_ends(provider: SamlProvider) -> tuple[int | None, tuple[int, ...]]:
    """
    When the metadata of a provider ends (None: it does not say) and when its signing certificates do. Raises ProofError for
    metadata that this version does not accept.
    """
    ends = _ends(provider.metadata)
    metadata = next((at for what, at in ends if what == "metadata"), None)
    return metadata, tuple(at for what, at in ends if what != "metadata")


@functools.lru_cache(maxsize=256)
def _ends(metadata: str) -> tuple[tuple[str, int], ...]:
    """What of the metadata comes to an end, and when. A certificate that cannot be read as one is a key all the same."""
    said = _said_by(metadata)
    ends = [] if said.valid_until is None else [("metadata", said.valid_until)]
    for certificate in said.certificates:
        try:
            read = x509.load_der_x509_certificate(certificate)
            ends.append(("signing certificate", int(read.not_valid_after_utc.timestamp())))
        except ValueError:
            continue
    return tuple(ends)
