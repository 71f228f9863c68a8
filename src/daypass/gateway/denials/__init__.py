# SPDX-License-Identifier: Apache-2.0
"""
The forms in which the enforcement door denies: each kind of service's own, so that its clients read them as always.

    error -- troubles --> Trouble -- a table per kind --> code, status, sentence -- written as XML or JSON --> Denial

Pure. AWS is the source of codes and sentences: S3 API, "Error responses"; the common errors of the DynamoDB, SQS and SNS APIs;
API Gateway Developer Guide, "Gateway responses". A denial tells no more than AWS's does: what is wrong with credentials is
said in AWS's fixed sentences, and a failure of ours says that it is one.
"""

from daypass.gateway.denials.form import HTTP_FORM, S3_FORM, Denial, DenialForm
from daypass.gateway.denials.write import denial, failure

__all__ = ["HTTP_FORM", "S3_FORM", "Denial", "DenialForm", "denial", "failure"]
