# SPDX-License-Identifier: Apache-2.0
"""A file is written completely or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from attn_cuda._files import write_whole


def test_written_file_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert [*tmp_path.iterdir()] == [path]


def test_failure_leaves_everything_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "inside").touch()
    with pytest.raises(OSError, match="folder"):
        write_whole(folder, b"cannot replace a folder")
    assert [*tmp_path.iterdir()] == [folder]
