# SPDX-License-Identifier: Apache-2.0
"""
daypass: AWS-style sign-in, STS and IAM for everything that is not AWS.

    A  request -- parse --> operation -- authenticate --> principal -- authorize --> permitted -- operate --> result
    B  proof   -- verify --> identity -- trust policy --> session -- issue --> temporary credentials
    C  browser -- start --> provider -- callback --> proof --> flow B --> page, or a CLI that waits for it
    D  request for a service behind us -- authenticate, authorize as in A --> forwarded, or an answer to the proxy

A request flows down this map and imports point down it too; rooms on one line do not know each other. A room in
parentheses is to come. The import rules in pyproject.toml and the directory are compared with this map by a test.

    cli | verify
    server
    api | signin | gateway | statefile
    doorway
    sts | iam | organizations | resources | (authserver)
    access | federation
    sessions | issuer | lint
    store | saml | oidc | (oauth2) | sigv4 | policy | awsapi
    jose
    jwk
    jsontext | yamltext
    audit
    principal | identity | credentials
    arn | sealing | clock
    randomness
    errors
    reasons
"""

__version__ = "0.1.0.dev0"
