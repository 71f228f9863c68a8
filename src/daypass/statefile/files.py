# SPDX-License-Identifier: Apache-2.0
"""
A state file on the disk, the policies that it names, and whether any of them has changed since.

Paths of policies begin at the directory of the state file. A policy whose name ends in ``.yaml`` or ``.yml`` is read as YAML;
any other is JSON, and is kept as it stands.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from daypass.errors import ConfigurationError, Reason
from daypass.statefile.desired import Desired
from daypass.statefile.limits import DOCUMENT_FILE, DOCUMENTS, STATE_FILE
from daypass.statefile.reading import read_desired
from daypass.yamltext import read_file, read_yaml

Stamp = tuple[int, ...] | None
"""What tells one content of a file from the next without reading it; None for a file that is not there."""

_YAML: Final = (".yaml", ".yml")


class StateFiles:
    """A state file and what it names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stamps: dict[Path, Stamp] = {path: None}
        """Every file that the last ``read`` opened or tried to, as it was then."""
        self._left = 0

    def read(self) -> Desired:
        """
        What the file wants. Raises ConfigurationError: for what ``read_desired`` refuses, and for files that cannot be read
        or are too long.
        """
        self.stamps, self._left = {}, DOCUMENTS
        text = self._open(self.path, repr(str(self.path)), STATE_FILE)
        return read_desired(text, repr(str(self.path)), self._document)

    def now(self) -> dict[Path, Stamp]:
        """The same files as they are now."""
        return {path: _stamp(path) for path in self.stamps}

    def _document(self, written: str) -> str:
        path, name = self.path.parent / written, repr(written)
        text = self._open(path, name, DOCUMENT_FILE)
        self._left -= len(text)
        if self._left < 0:
            raise _invalid(f"the policies together are longer than {DOCUMENTS} bytes")
        if path.suffix.lower() not in _YAML:
            return text
        return json.dumps(read_yaml(text, name, json_only=True).value, ensure_ascii=False)

    def _open(self, path: Path, name: str, max_bytes: int) -> str:
        self.stamps[path] = _stamp(path)  # first: what is written meanwhile makes another
        return read_file(path, name, max_bytes, ordinary=True)


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _invalid(message: str) -> ConfigurationError:
    return ConfigurationError(Reason.CONFIGURATION_INVALID, message)
