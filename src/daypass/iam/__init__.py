# SPDX-License-Identifier: Apache-2.0
"""
Identity and Access Management (IAM API 2010-05-08): one module a resource.

Each operation is a function of a ``Permitted`` caller and checked parameters: it reads from the view, writes in one
transaction, and answers the output members of the AWS model. The wire is ``daypass.api``'s; whether the caller may was
decided before.
"""
