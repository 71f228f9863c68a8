# SPDX-License-Identifier: Apache-2.0
"""
The closed list of reasons for which something is refused (docs/errors.md).

Tests assert them, the log and the audit trail record them, metrics count them, vectors expect them. What clients are told is
in the tables of the doors (``daypass.api.wire_errors``, ``daypass.gateway.denials``), which tests prove total.
"""

from __future__ import annotations

import enum


class Reason(enum.Enum):
    """Why something was refused: a stable slug, and the clause or page that the rule comes from."""

    source: str

    def __new__(cls, slug: str, source: str) -> Reason:
        member = object.__new__(cls)
        member._value_ = slug
        member.source = source
        return member

    # The request and its protocol (awsapi, api)
    MALFORMED_REQUEST = "malformed-request", "AWS Query protocol"
    REQUEST_TOO_LARGE = "request-too-large", "our limit; see daypass.doorway.limits"
    MALFORMED_XML = "malformed-xml", "S3 API, error responses: MalformedXML"
    LENGTH_REQUIRED = "length-required", "RFC 9110 section 15.5.12"
    MISSING_ACTION = "missing-action", "IAM API, Common Error Types: MissingAction"
    UNKNOWN_ACTION = "unknown-action", "IAM API, Common Error Types: InvalidAction"
    DUPLICATE_PARAMETER = "duplicate-parameter", "IAM API, Common Error Types: InvalidParameterCombination"
    UNKNOWN_PARAMETER = "unknown-parameter", "refuse rather than ignore (DESIGN.md, promise 2)"
    INVALID_PARAMETER = "invalid-parameter", "the constraints of the AWS service model"
    UNSUPPORTED_PARAMETER = "unsupported-parameter", "refuse rather than ignore (DESIGN.md, promise 2)"
    UNSUPPORTED_OPERATION = "unsupported-operation", "docs/operations.md"

    # Signature Version 4 (sigv4)
    CREDENTIAL_AMBIGUOUS = "credential-ambiguous", "DESIGN.md, invariant 3: one credential location"
    AUTHORIZATION_INCOMPLETE = "authorization-incomplete", "IAM API, Common Error Types: IncompleteSignature"
    AUTHORIZATION_MALFORMED = "authorization-malformed", "IAM User Guide, Elements of a request signature"
    SIGNATURE_ALGORITHM_UNSUPPORTED = "signature-algorithm-unsupported", "IAM User Guide, Create a signed request"
    SIGNATURE_DATE_MALFORMED = "signature-date-malformed", "IAM User Guide, Elements of a request signature: date"
    CREDENTIAL_MALFORMED = "credential-malformed", "IAM User Guide, Elements of a request signature: credential scope"
    CREDENTIAL_TERMINATOR = "credential-terminator", "IAM User Guide, Troubleshoot SigV4: credential scope"
    CREDENTIAL_DATE_MISMATCH = "credential-date-mismatch", "IAM User Guide, Troubleshoot SigV4: credential scope, date"
    CREDENTIAL_REGION_MISMATCH = "credential-region-mismatch", "IAM User Guide, Troubleshoot SigV4: scope, region"
    CREDENTIAL_SERVICE_MISMATCH = "credential-service-mismatch", "IAM User Guide, Troubleshoot SigV4: scope, service"
    SESSION_TOKEN_MALFORMED = "session-token-malformed", "IAM API, Common Error Types: InvalidClientTokenId"
    SIGNED_HEADERS_MALFORMED = "signed-headers-malformed", "IAM User Guide, Create a signed request: SignedHeaders"
    SIGNATURE_MALFORMED = "signature-malformed", "IAM User Guide, Create a signed request: step 5"
    SIGNATURE_EXPIRED = "signature-expired", "IAM User Guide, Troubleshoot SigV4: date"
    SIGNATURE_NOT_YET_CURRENT = "signature-not-yet-current", "IAM User Guide, Troubleshoot SigV4: date"
    PRESIGNED_EXPIRED = "presigned-expired", "IAM API, Common Error Types: RequestExpired"
    PRESIGNED_LIFETIME_INVALID = "presigned-lifetime-invalid", "S3 API, Authenticating requests: query parameters"
    HOST_NOT_SIGNED = "host-not-signed", "IAM User Guide, Create a signed request: CanonicalHeaders"
    HEADER_NOT_SIGNED = "header-not-signed", "IAM User Guide, Create a signed request: CanonicalHeaders"
    SESSION_TOKEN_NOT_SIGNED = "session-token-not-signed", "DESIGN.md, invariant 3"
    SIGNED_HEADER_ABSENT = "signed-header-absent", "IAM User Guide, Create a signed request: CanonicalHeaders"
    SIGNED_HEADER_REPEATED = "signed-header-repeated", "RFC 9110 section 5.3; DESIGN.md, invariant 3"
    SIGNED_METHOD_UNKNOWN = "signed-method-unknown", "RFC 9110 section 9.3, RFC 5789"
    SIGNED_PATH_REFUSED = "signed-path-refused", "DESIGN.md, invariant 2: sign what you route"
    SIGNED_QUERY_REFUSED = "signed-query-refused", "DESIGN.md, invariant 2: sign what you route"
    SIGNED_REQUEST_MALFORMED = "signed-request-malformed", "RFC 9110 sections 5.1 and 5.5"
    SIGNED_REQUEST_TOO_LARGE = "signed-request-too-large", "our limits; see daypass.sigv4.limits"
    PAYLOAD_HASH_MISMATCH = "payload-hash-mismatch", "S3 API, error responses: XAmzContentSHA256Mismatch"
    PAYLOAD_HASH_UNSUPPORTED = "payload-hash-unsupported", "DESIGN.md, invariant 4"
    PAYLOAD_HASH_MISSING = "payload-hash-missing", "S3 API, Authenticating requests: the Authorization header"
    CHUNKED_HEADERS_REFUSED = "chunked-headers-refused", "S3 API, Chunked upload: the headers that announce it"
    CHUNK_MALFORMED = "chunk-malformed", "S3 API, Chunked upload: string(IntHexBase(chunk-size))"
    CHUNK_SIZE_REFUSED = "chunk-size-refused", "S3 API, Chunked upload: at least 8 KB; InvalidChunkSizeError"
    CHUNK_EXTENSION_REFUSED = "chunk-extension-refused", "S3 API, Chunked upload: chunk-signature"
    CHUNK_SIGNATURE_MISMATCH = "chunk-signature-mismatch", "S3 API, Chunked upload: the string to sign of a chunk"
    CHUNKS_TRUNCATED = "chunks-truncated", "S3 API, Chunked upload: the final chunk of 0 bytes"
    CHUNKS_TOO_LONG = "chunks-too-long", "S3 API, Chunked upload: nothing follows the final chunk or the trailer"
    CHUNKS_LENGTH_MISMATCH = "chunks-length-mismatch", "S3 API, Chunked upload: x-amz-decoded-content-length"
    TRAILER_MALFORMED = "trailer-malformed", "S3 API, Chunked upload with trailing headers; MalformedTrailerError"
    TRAILER_UNANNOUNCED = "trailer-unannounced", "S3 API, Chunked upload with trailing headers: x-amz-trailer"
    TRAILER_MISSING = "trailer-missing", "S3 API, Chunked upload with trailing headers: x-amz-trailer"
    TRAILER_SIGNATURE_MISMATCH = "trailer-signature-mismatch", "S3 API, Trailing headers: x-amz-trailer-signature"
    CHECKSUM_MISMATCH = "checksum-mismatch", "S3 API, error responses: BadDigest"
    POST_FORM_MALFORMED = "post-form-malformed", "S3 API, POST Object: form fields"
    POST_FORM_TOO_LARGE = "post-form-too-large", "S3 API, error responses: MaxPostPreDataLengthExceededError"
    POST_POLICY_MALFORMED = "post-policy-malformed", "S3 API, Browser-based uploads: creating a POST policy"
    POST_POLICY_EXPIRED = "post-policy-expired", "S3 API, Creating a POST policy: expiration"
    POST_POLICY_CONDITION = "post-policy-condition", "S3 API, Creating a POST policy: condition matching"
    POST_POLICY_UNCOVERED = "post-policy-uncovered", "S3 API, Creating a POST policy: every field needs a condition"
    SIGNATURE_DOES_NOT_MATCH = "signature-does-not-match", "IAM User Guide, Troubleshoot SigV4"

    # Signed JSON (jose, oidc)
    JSON_MALFORMED = "json-malformed", "RFC 8259; numbers, depth and Unicode bounded by daypass.jose"
    JSON_DUPLICATE_MEMBER = "json-duplicate-member", "RFC 7519 section 4; RFC 7515 section 4"
    TOKEN_MALFORMED = "token-malformed", "RFC 7515 sections 2 and 7.1; RFC 4648 section 3.5"
    TOKEN_TOO_LARGE = "token-too-large", "STS API, AssumeRoleWithWebIdentity: WebIdentityToken"
    TOKEN_ENCRYPTED = "token-encrypted", "RFC 7516; encrypted tokens are not accepted"
    TOKEN_HEADER_REFUSED = "token-header-refused", "RFC 7515 section 4.1.11; RFC 7797; RFC 7516 section 4.1.3"
    TOKEN_ALGORITHM_REFUSED = "token-algorithm-refused", "RFC 8725 section 3.1"
    TOKEN_TYPE_REFUSED = "token-type-refused", "RFC 8725 section 3.11"
    TOKEN_SIGNATURE_INVALID = "token-signature-invalid", "RFC 7515 section 5.2; RFC 7518 section 3"
    KEY_SET_MALFORMED = "key-set-malformed", "RFC 7517 section 5"
    KEY_SET_TOO_LARGE = "key-set-too-large", "IAM User Guide: at most 100 RSA and 100 EC keys"
    KEY_UNKNOWN = "key-unknown", "OpenID Connect Core section 10.1"
    KEY_AMBIGUOUS = "key-ambiguous", "RFC 7517 section 4.5"
    KEY_UNSUITABLE = "key-unsuitable", "RFC 7517 sections 4.2 to 4.4; RFC 8725 section 3.1"
    CLAIM_MISSING = "claim-missing", "OpenID Connect Core section 2"
    CLAIM_MALFORMED = "claim-malformed", "RFC 7519 section 4.1; OpenID Connect Core section 2"
    CLAIM_AMBIGUOUS = "claim-ambiguous", "IAM User Guide: names of condition keys ignore case"
    TOKEN_ISSUER_MISMATCH = "token-issuer-mismatch", "OpenID Connect Core section 3.1.3.7, step 2"
    TOKEN_AUDIENCE_MISMATCH = "token-audience-mismatch", "OpenID Connect Core section 3.1.3.7, steps 3 to 5"
    TOKEN_EXPIRED = "token-expired", "OpenID Connect Core section 3.1.3.7, step 9"
    TOKEN_NOT_YET_VALID = "token-not-yet-valid", "RFC 7519 sections 4.1.5 and 4.1.6"
    SESSION_TAGS_MALFORMED = "session-tags-malformed", "IAM User Guide, Passing session tags"
    SESSION_TAGS_INVALID = "session-tags-invalid", "STS API, AssumeRole: Tags, TransitiveTagKeys"
    SOURCE_IDENTITY_FIXED = "source-identity-fixed", "STS API, AssumeRole: SourceIdentity"
    CREDENTIALS_UNFIT = "credentials-unfit", "IAM User Guide, Compare AWS STS credentials"
    SECOND_FACTOR_UNKNOWN = "second-factor-unknown", "STS API, GetSessionToken: SerialNumber"
    SECOND_FACTOR_WRONG = "second-factor-wrong", "RFC 6238 section 5.2; STS API, GetSessionToken: TokenCode"
    SECOND_FACTOR_SPENT = "second-factor-spent", "RFC 6238 section 5.2: a code counts once"
    SECOND_FACTOR_LOCKED = "second-factor-locked", "our limit; see daypass.access.limits"
    AUTHENTICATION_CODES_INVALID = "authentication-codes-invalid", "IAM API: InvalidAuthenticationCode"
    SECOND_FACTOR_INCOMPLETE = "second-factor-incomplete", "STS API, AssumeRole: SerialNumber, TokenCode"
    TRADE_IN_TOKEN_INVALID = "trade-in-token-invalid", "STS API, GetDelegatedAccessToken: TradeInToken"
    TRADE_IN_TOKEN_EXPIRED = "trade-in-token-expired", "STS API: ExpiredTradeInToken"
    OUTBOX_UNAVAILABLE = "outbox-unavailable", "the outbox of the data directory cannot be written"
    AUTHORIZATION_MESSAGE_INVALID = "authorization-message-invalid", "STS API: InvalidAuthorizationMessage"
    SOURCE_IDENTITY_MALFORMED = "source-identity-malformed", "STS API: SourceIdentity"
    ISSUER_URL_INVALID = "issuer-url-invalid", "IAM API, CreateOpenIDConnectProvider: Url"
    DISCOVERY_MALFORMED = "discovery-malformed", "OpenID Connect Discovery section 3"
    DISCOVERY_ISSUER_MISMATCH = "discovery-issuer-mismatch", "OpenID Connect Discovery section 4.3"

    # SAML (saml)
    SAML_MALFORMED = "saml-malformed", "SAML Bindings section 3.5.4; XML 1.0; RFC 4648 section 3.5"
    SAML_TOO_LARGE = "saml-too-large", "STS API, AssumeRoleWithSAML: SAMLAssertion; daypass.saml.limits"
    SAML_DOCTYPE_REFUSED = "saml-doctype-refused", "DESIGN.md, invariant 8: no DOCTYPE, no entity"
    SAML_MARKUP_REFUSED = "saml-markup-refused", "DESIGN.md, invariant 8: no comment, no processing instruction"
    SAML_SHAPE_REFUSED = "saml-shape-refused", "SAML Core sections 2 and 3; DESIGN.md, invariant 8: a fixed shape"
    SAML_VALUE_MALFORMED = "saml-value-malformed", "SAML Core section 1.3"
    SAML_VERSION_REFUSED = "saml-version-refused", "SAML Core section 4.1"
    SAML_ID_DUPLICATE = "saml-id-duplicate", "SAML Core section 1.3.4; XML Signature section 4.4.3.2"
    SAML_ASSERTION_COUNT = "saml-assertion-count", "SAML Profiles section 4.1.4.2; DESIGN.md, invariant 8"
    SAML_UNSIGNED = "saml-unsigned", "SAML Profiles section 4.1.3.5"
    SAML_SIGNATURE_MISPLACED = "saml-signature-misplaced", "SAML Core section 5.4.1"
    SAML_SIGNATURE_SHAPE = "saml-signature-shape", "SAML Core section 5.4; XML Signature section 4"
    SAML_REFERENCE_REFUSED = "saml-reference-refused", "SAML Core section 5.4.2"
    SAML_TRANSFORM_REFUSED = "saml-transform-refused", "SAML Core sections 5.4.3 and 5.4.4"
    SAML_ALGORITHM_REFUSED = "saml-algorithm-refused", "XML Signature section 6; NIST SP 800-131A"
    SAML_KEY_REFUSED = "saml-key-refused", "NIST SP 800-131A; the registered certificates"
    SAML_DIGEST_MISMATCH = "saml-digest-mismatch", "XML Signature section 3.2.1"
    SAML_SIGNATURE_INVALID = "saml-signature-invalid", "XML Signature section 3.2.2"
    SAML_ENCRYPTION_REFUSED = "saml-encryption-refused", "SAML Core section 6; XML Encryption section 5"
    SAML_ENCRYPTION_REQUIRED = "saml-encryption-required", "IAM API, CreateSAMLProvider: AssertionEncryptionMode"
    SAML_DECRYPTION_FAILED = "saml-decryption-failed", "XML Encryption section 4.4"
    SAML_ISSUER_MISMATCH = "saml-issuer-mismatch", "SAML Profiles section 4.1.4.2"
    SAML_DESTINATION_MISMATCH = "saml-destination-mismatch", "SAML Bindings section 3.5.5.2"
    SAML_CLAIM_STATUS = "saml-claim-status", "SAML Core section 3.2.2.2"
    SAML_RESPONSE_UNSOLICITED = "saml-response-unsolicited", "SAML Profiles section 4.1.4.3"
    SAML_SUBJECT_MALFORMED = "saml-subject-malformed", "SAML Core sections 2.2.3 and 2.4.1"
    SAML_CONFIRMATION_REFUSED = "saml-confirmation-refused", "SAML Profiles section 4.1.4.2: bearer"
    SAML_RECIPIENT_MISMATCH = "saml-recipient-mismatch", "SAML Profiles section 4.1.4.3"
    SAML_CONDITION_REFUSED = "saml-condition-refused", "SAML Core section 2.5.1.1"
    SAML_AUDIENCE_MISMATCH = "saml-audience-mismatch", "SAML Core section 2.5.1.4"
    SAML_NOT_YET_VALID = "saml-not-yet-valid", "SAML Core section 2.5.1.2"
    SAML_EXPIRED = "saml-expired", "SAML Core section 2.5.1.2; Profiles section 4.1.4.3"
    SAML_AUTHENTICATION_MISSING = "saml-authentication-missing", "SAML Profiles section 4.1.4.2: AuthnStatement"
    SAML_ATTRIBUTES_MALFORMED = "saml-attributes-malformed", "SAML Core section 2.7.3"
    SAML_ROLE_MISSING = "saml-role-missing", "IAM User Guide, Configure SAML assertions: Role"
    SAML_ROLE_MALFORMED = "saml-role-malformed", "IAM User Guide, Configure SAML assertions: Role"
    SAML_SESSION_NAME_MISSING = (
        "saml-session-name-missing",
        "IAM User Guide, Configure SAML assertions: RoleSessionName",
    )
    SAML_SESSION_NAME_MALFORMED = "saml-session-name-malformed", "IAM User Guide, Troubleshoot SAML: RoleSessionName"
    SAML_DURATION_MALFORMED = "saml-duration-malformed", "IAM User Guide, Configure SAML assertions: SessionDuration"
    SAML_CLAIM_AMBIGUOUS = "saml-claim-ambiguous", "IAM User Guide: names of condition keys ignore case"
    SAML_PROVIDER_EXPIRED = "saml-provider-expired", "SAML Metadata section 2.3.2: validUntil"
    SAML_REPLAYED = "saml-replayed", "SAML Profiles section 4.1.4.5"
    SAML_METADATA_MALFORMED = "saml-metadata-malformed", "SAML Metadata section 2"
    SAML_METADATA_TOO_LARGE = "saml-metadata-too-large", "IAM API, CreateSAMLProvider: SAMLMetadataDocument"
    SAML_METADATA_NO_PROVIDER = "saml-metadata-no-provider", "SAML Metadata section 2.4.3: IDPSSODescriptor"
    SAML_METADATA_CERTIFICATE = "saml-metadata-certificate", "SAML Metadata section 2.4.1.1: KeyDescriptor"
    SAML_METADATA_SIGNATURE = "saml-metadata-signature", "SAML Metadata section 3"

    # The browser door (signin)
    SIGN_IN_FORM = "sign-in-form", "docs/saml.md"
    SIGN_IN_FOREIGN = "sign-in-foreign", "docs/adr/0010: a choice belongs to one sign-in of one browser"
    SIGN_IN_ENDED = "sign-in-ended", "docs/adr/0010: a page with roles is good for five minutes"
    SIGN_IN_CROSS_SITE = "sign-in-cross-site", "Fetch Metadata Request Headers; RFC 6454 section 7"
    SIGN_IN_KEY_MISSING = "sign-in-key-missing", "SAML Metadata section 2.4.3: WantAuthnRequestsSigned"

    # Outbound requests and providers (federation)
    PROVIDER_UNKNOWN = "provider-unknown", "STS API, AssumeRoleWithWebIdentity: InvalidIdentityToken"
    PROVIDER_URL_REFUSED = "provider-url-refused", "DESIGN.md, invariant 11"
    PROVIDER_ADDRESS_REFUSED = "provider-address-refused", "DESIGN.md, invariant 11; RFC 6890"
    PROVIDER_UNREACHABLE = "provider-unreachable", "STS API: IDPCommunicationError"
    PROVIDER_CERTIFICATE_INVALID = "provider-certificate-invalid", "RFC 9525; OpenID Connect Discovery section 7.1"
    PROVIDER_TIMEOUT = "provider-timeout", "DESIGN.md, invariant 11"
    PROVIDER_REDIRECTED = "provider-redirected", "DESIGN.md, invariant 11"
    PROVIDER_STATUS = "provider-status", "OpenID Connect Discovery section 4.2"
    PROVIDER_ANSWER_TOO_LARGE = "provider-answer-too-large", "DESIGN.md, invariant 11"
    PROVIDER_ANSWER_ENCODED = "provider-answer-encoded", "RFC 9110 section 8.4; we ask for identity"
    PROVIDER_KEYS_INVALID = "provider-keys-invalid", "RFC 7517 section 5"

    # Policies (policy)
    POLICY_TOO_LARGE = "policy-too-large", "IAM API: policyDocument, 1 to 131,072 characters"
    POLICY_CHARACTERS = "policy-characters", "IAM quotas: characters allowed in policy documents"
    POLICY_SYNTAX = "policy-syntax", "IAM User Guide, Grammar of the IAM JSON policy language"
    POLICY_VERSION = "policy-version", "IAM JSON policy elements: Version"
    POLICY_LEGACY_PARSING = (
        "policy-legacy-parsing",
        "IAM API: MalformedPolicyDocument (Effect's case, dates, short ARNs)",
    )
    POLICY_SID_REPEATED = "policy-sid-repeated", "IAM JSON policy elements: Sid"
    POLICY_SID_CHARACTERS = "policy-sid-characters", "IAM JSON policy elements: Sid"
    POLICY_ELEMENT_FORBIDDEN = "policy-element-forbidden", "IAM User Guide, Policy types: elements per type"
    POLICY_EFFECT = "policy-effect", "IAM JSON policy elements: Effect"
    POLICY_WITHOUT_PRINCIPAL = "policy-without-principal", "AWS JSON policy elements: Principal"
    POLICY_PRINCIPAL_INVALID = "policy-principal-invalid", "AWS JSON policy elements: Principal"
    POLICY_NOT_PRINCIPAL_ALLOWS = "policy-not-principal-allows", "AWS JSON policy elements: NotPrincipal"
    POLICY_WITHOUT_ACTIONS = "policy-without-actions", "IAM JSON policy elements: Action"
    POLICY_ACTION_INVALID = "policy-action-invalid", "IAM JSON policy elements: Action"
    POLICY_ACTION_NOT_STS = "policy-action-not-sts", "IAM User Guide, Role trust policy"
    POLICY_WITHOUT_RESOURCES = "policy-without-resources", "IAM JSON policy elements: Resource"
    POLICY_RESOURCE_INVALID = "policy-resource-invalid", "IAM JSON policy elements: Resource"
    POLICY_ARN_INCOMPLETE = "policy-arn-incomplete", "AWS General Reference, incomplete ARNs"
    POLICY_CONDITION_REQUIRED = "policy-condition-required", "IAM User Guide, Role trust policy: Cognito provider"
    POLICY_ISSUER_UNSCOPED = "policy-issuer-unscoped", "DESIGN.md, invariant 12; IAM User Guide, shared OIDC providers"

    # Sessions and sealing (sealing, sessions)
    MASTER_KEY_INVALID = "master-key-invalid", "docs/architecture.md, secrets"
    SEAL_MALFORMED = "seal-malformed", "docs/adr/0003; strict base64 of RFC 4648 section 3.5"
    SEAL_UNKNOWN_KEY = "seal-unknown-key", "docs/adr/0003"
    SEAL_BROKEN = "seal-broken", "NIST SP 800-38D section 7.2"
    SESSION_EXPIRED = "session-expired", "STS API: ExpiredTokenException"
    SEALING_KEY_MISSING = "sealing-key-missing", "docs/adr/0003"
    PACKED_POLICY_TOO_LARGE = "packed-policy-too-large", "STS API: PackedPolicyTooLarge"
    DURATION_EXCEEDS_ROLE = "duration-exceeds-role", "STS API, AssumeRole: DurationSeconds"

    # Our own issuer, and container credentials (issuer, sts, api)
    ISSUER_DISABLED = "issuer-disabled", "STS API, GetWebIdentityToken: OutboundWebIdentityFederationDisabled"
    ISSUER_KEY_MISSING = "issuer-key-missing", "docs/architecture.md, secrets"
    ISSUED_TOKEN_TOO_LARGE = "issued-token-too-large", "STS API, GetWebIdentityToken: JWTPayloadSizeExceeded"
    ISSUED_TOKEN_OUTLIVES_SESSION = (
        "issued-token-outlives-session",
        "STS API, GetWebIdentityToken: SessionDurationEscalation",
    )
    TOKEN_OF_OURS = "token-of-ours", "IAM User Guide, Getting started with outbound identity federation: Note"
    PROOF_IN_URL = "proof-in-url", "RFC 6750 section 5.3; DESIGN.md, invariant 15"

    # Who is calling, and may they (access)
    UNSIGNED_REQUEST = "unsigned-request", "IAM API, Common Error Types: MissingAuthenticationToken"
    UNKNOWN_ACCESS_KEY = "unknown-access-key", "IAM API, Common Error Types: InvalidClientTokenId"
    NOT_AUTHORIZED = "not-authorized", "IAM User Guide, Policy evaluation logic"
    NOT_TRUSTED = "not-trusted", "IAM User Guide, Role trust policy"
    PUBLIC_ACCESS_BLOCKED = (
        "public-access-blocked",
        "S3 User Guide, Blocking public access: BlockPublicAcls, BlockPublicPolicy",
    )
    LOCKOUT_UNCONFIRMED = "lockout-unconfirmed", "S3 API, PutBucketPolicy: ConfirmRemoveSelfBucketAccess"
    MANAGED_BY_FILE = "managed-by-file", "docs/state-file.md: what the file manages is changed there"

    # Passwords, certificates and keys that are stored (iam)
    PASSWORD_INCORRECT = "password-incorrect", "IAM API, ChangePassword: OldPassword"
    PASSWORD_POLICY_VIOLATION = "password-policy-violation", "IAM API: PasswordPolicyViolation"
    CERTIFICATE_MALFORMED = "certificate-malformed", "IAM API: MalformedCertificate"
    CERTIFICATE_INVALID = "certificate-invalid", "IAM API: InvalidCertificate"
    CERTIFICATE_DUPLICATE = "certificate-duplicate", "IAM API: DuplicateCertificate"
    CERTIFICATE_KEY_MISMATCH = "certificate-key-mismatch", "IAM API: KeyPairMismatch"
    SSH_KEY_INVALID = "ssh-key-invalid", "IAM API: InvalidPublicKey"
    SSH_KEY_DUPLICATE = "ssh-key-duplicate", "IAM API: DuplicateSSHPublicKey"
    SSH_KEY_ENCODING = "ssh-key-encoding", "IAM API: UnrecognizedPublicKeyEncoding"
    USER_TYPE_INVALID = "user-type-invalid", "IAM API: InvalidUserType"

    # Reports (iam)
    REPORT_NOT_PRESENT = "report-not-present", "IAM API, GetCredentialReport: ReportNotPresent"
    REPORT_EXPIRED = "report-expired", "IAM API, GetCredentialReport: ReportExpired"
    REPORT_IN_PROGRESS = "report-in-progress", "IAM API, GetCredentialReport: ReportInProgress"

    # Entities (iam, store)
    NO_SUCH_ENTITY = "no-such-entity", "IAM API: NoSuchEntity"
    ENTITY_ALREADY_EXISTS = "entity-already-exists", "IAM API: EntityAlreadyExists"
    DELETE_CONFLICT = "delete-conflict", "IAM API: DeleteConflict"
    LIMIT_EXCEEDED = "limit-exceeded", "IAM and STS quotas"
    INVALID_INPUT = "invalid-input", "IAM API: InvalidInput"
    NOT_ATTACHABLE = "not-attachable", "IAM API, AttachRolePolicy: PolicyNotAttachable"
    ENTITY_UNMODIFIABLE = "entity-unmodifiable", "IAM API: UnmodifiableEntity"
    ENTITY_MODIFIED_MEANWHILE = "entity-modified-meanwhile", "IAM API: ConcurrentModification"
    SERVICE_NOT_SUPPORTED = "service-not-supported", "IAM API: NotSupportedService"
    FEATURE_DISABLED = "feature-disabled", "IAM API: FeatureDisabled"
    FEATURE_ENABLED = "feature-enabled", "IAM API: FeatureEnabled"
    NO_SUCH_BUCKET = "no-such-bucket", "S3 API, error responses: NoSuchBucket"
    NO_SUCH_BUCKET_POLICY = "no-such-bucket-policy", "S3 API, GetBucketPolicy: NoSuchBucketPolicy"
    NO_SUCH_PUBLIC_ACCESS_BLOCK = (
        "no-such-public-access-block",
        "S3 API, GetPublicAccessBlock: NoSuchPublicAccessBlockConfiguration",
    )
    BUCKET_ALREADY_EXISTS = "bucket-already-exists", "S3 API, CreateBucket: BucketAlreadyExists"
    BUCKET_ALREADY_OWNED_BY_YOU = "bucket-already-owned-by-you", "S3 API, CreateBucket: BucketAlreadyOwnedByYou"
    NOT_THE_BUCKET_OWNER = "not-the-bucket-owner", "S3 API, PutBucketPolicy: 405 Method Not Allowed"
    STORED_POLICY_INVALID = "stored-policy-invalid", "IAM API, SimulatePrincipalPolicy: PolicyEvaluation"

    # The process (server, store)
    # The enforcement door (gateway)
    NO_SUCH_BACKEND = "no-such-backend", "docs/gateway.md, the configuration's gateway.backends"
    BACKEND_UNAVAILABLE = "backend-unavailable", "RFC 9110 sections 15.6.3 to 15.6.5"
    ENTITY_TOO_LARGE = "entity-too-large", "S3 API, error responses: EntityTooLarge"
    ENTITY_TOO_SMALL = "entity-too-small", "S3 API, error responses: EntityTooSmall"
    PROXY_UNKNOWN = "proxy-unknown", "docs/gateway.md: a proxy shows its secret"
    PROXY_QUESTION_AMBIGUOUS = "proxy-question-ambiguous", "docs/gateway.md: one way to tell the original request"
    BODY_NEEDED = "body-needed", "docs/gateway.md: what a proxy that asks cannot carry"
    VERIFIED_HANDLE_INVALID = "verified-handle-invalid", "docs/verify.md: a handle is its asker's, and for minutes"
    VERIFIED_SERVICE_RESERVED = "verified-service-reserved", "docs/verify.md: what is never verified for others"
    SIGNING_KEY_WITHHELD = "signing-key-withheld", "docs/verify.md: a key for one service is good at no other"
    DAYPASS_UNREACHABLE = "daypass-unreachable", "docs/verify.md: the library fails closed"
    STRING_TO_SIGN_REFUSED = "string-to-sign-refused", "docs/s3tokens.md: Signature Version 4 only"
    KEYSTONE_CLIENT_UNKNOWN = "keystone-client-unknown", "CVE-2025-65073; docs/s3tokens.md: whoever asks shows a token"
    TEMPORARY_KEY_ALONE = "temporary-key-alone", "docs/s3tokens.md: session tokens do not travel"

    CONFIGURATION_INVALID = "configuration-invalid", "docs/settings.md"
    STORE_UNAVAILABLE = "store-unavailable", "DESIGN.md, static stability"
    INTERNAL_FAILURE = "internal-failure", "IAM API, Common Error Types: InternalFailure"
