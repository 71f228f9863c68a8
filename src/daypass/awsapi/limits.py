# SPDX-License-Identifier: Apache-2.0
"""The limits of this package: each with its reason, and who else chose the figure."""

from __future__ import annotations

from typing import Final

MAX_FORM_BYTES: Final = 1024 * 1024
"""A form, as sent. Room for two policies of IAM's largest size (131 072 characters) with every character
percent-encoded, and for the metadata of any SAML provider we have seen many times over; decoding the worst form of this
size takes a tenth of a second. nginx stops at 1 MB, Tomcat at 2, Jetty at 200 KB. The doors may be stricter before they
call."""

MAX_PARAMETERS: Final = 2000
"""Names in a form. PHP (max_input_vars), Tomcat (maxParameterCount), Jetty and Django stop at the same figure; fifty tags
need a hundred."""

MAX_NAME_SEGMENTS: Final = 16
"""Parts between the dots of a parameter's name. The deepest name that a model allows today has six."""

MAX_QUOTED_NAME: Final = 64
"""A longer parameter name is not quoted in a message: it may be a token whose padding was read as an equals sign."""

MAX_QUOTED_VALUE: Final = 128
"""Characters of a value that a message quotes, at most."""

MAX_PROBLEMS: Final = 10
"""Validation errors that one message lists; checking stops there."""
