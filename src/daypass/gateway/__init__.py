# SPDX-License-Identifier: Apache-2.0
"""
The enforcement door: requests for services behind us, verified and authorised one by one (flow D).

    request -- authenticate, authorize as at the AWS door --> forwarded, re-signed for the backend; or an AWS-style denial
"""
