# SPDX-License-Identifier: Apache-2.0
"""Writes files atomically."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Writes to a temporary file in the same folder and renames it, so that no reader sees an incomplete file.

    Symbolic links are followed, also to a file that does not exist yet. A file that is replaced keeps its mode. Raises
    OSError for a place that cannot be written and for a device, pipe, socket or folder, which renaming would replace.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        what = "folder" if target.is_dir() else "device, pipe or socket"
        raise OSError(f"{path}: expected a file or a new name, got a {what}")
    mode = target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)  # mkstemp makes files that only their owner can read
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)  # there is no way to read it without a change
    os.umask(mask)
    return mask
