# SPDX-License-Identifier: Apache-2.0
"""
AWS's wire protocols, driven by the service models that botocore ships as data.

    form bytes -- form.parse_form --> names and texts -- query.parse_input --> parameters -- constraints.check --> sound
    result -- query.serialize_result --> XML            error -- query.serialize_error --> XML

``model`` reads the models; ``query`` is the one protocol that STS and IAM list (a test notices when they list another,
which then is one module more); ``constraints`` says what is wrong with parameters in AWS's words. Pure: the only thing
read is botocore's package data, and none of botocore's code is imported. Which operation a request asks for, who asks,
and which HTTP status an error has, is for ``daypass.api``.
"""
