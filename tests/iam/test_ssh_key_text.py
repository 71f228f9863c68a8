# SPDX-License-Identifier: Apache-2.0
"""Fingerprints of SSH public keys: a vector of ``ssh-keygen``, and ``ssh-keygen`` itself where there is one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from daypass.iam.ssh_key_text import fingerprint_of, in_encoding, read_ssh_public_key

KEY = (
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQD0k48YC5+dDLvekAwCvcTKTz/4EozP8f/KdYuCIMnl1Btjc9du+3MoFVangQCJYg2fnlFU"
    "/CZLBvh5iPL3iaAaTdEDWad/CvGWD0V9xkhX8wLd8f4soYmWzve5c8VKk8dAtwYhiuu+q7kh8mmOsEFgkM1gZ9aZ0PGqvzX2Bk0u"
    "zVn9m5mYPZ2yc5pWQrKH/3a6o0VcqDAKiCVpvHRJno7YFBMgr8z2AzTUQ/K3bjEuyt61jUQJdnKJXAslrRdmJh5OW4zfLgDDgd+e"
    "BB1qDepAz8EQF5nTVQ1EGMQLZI4Fs5vQUZ2JgboDd/ynpD0A8fZRYnBvvKtWXLSuhAQDOLRF"
)
"""Made with ``ssh-keygen -t rsa -b 2048``; its private half was thrown away."""

FINGERPRINT = "4a:a7:16:52:2f:6d:22:9a:25:5c:99:b3:f5:46:c2:9d"
"""What ``ssh-keygen -l -E md5`` says of it."""


def test_the_fingerprint_is_that_of_ssh_keygen() -> None:
    for body in (KEY, f"{KEY} somebody@example.org", in_encoding(KEY, "PEM")):
        assert fingerprint_of(read_ssh_public_key(body)) == FINGERPRINT


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen here")
def test_ssh_keygen_still_says_so(tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(KEY)
    command = ["ssh-keygen", "-l", "-E", "md5", "-f", str(tmp_path / "key.pub")]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"MD5:{FINGERPRINT} " in shown


def test_a_key_comes_back_from_pem_as_it_was() -> None:
    assert in_encoding(in_encoding(KEY, "PEM"), "SSH") == KEY
