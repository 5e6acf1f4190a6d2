# SPDX-License-Identifier: Apache-2.0
"""`bootstrap.sh data` with a server on loopback that breaks off, ignores range requests, or sends a wrong file."""
import hashlib
import http.server
import os
import pathlib
import shutil
import subprocess
import threading

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "bootstrap.sh"
CONTENT = bytes(range(256)) * 2000
NAME = "aclImdb_v1.tar.gz"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and server.resumes else 0
        if start >= len(server.content):
            self.send_response(416)
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(server.content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        self.end_headers()
        stop = server.breaks.pop(0) if server.breaks else len(server.content)
        self.wfile.write(server.content[start:stop])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.content = CONTENT
    made.resumes = True
    made.breaks = []  # the offsets at which successive replies break off
    made.ranges = []  # the ranges that successive requests asked for
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


class Clone:
    def __init__(self, folder, port):
        self.root = folder / "a clone with spaces"
        self.root.mkdir()
        shutil.copy(SCRIPT, self.root)
        self.archive = self.root / "data" / NAME
        self.part = self.root / "data" / f"{NAME}.part"
        self.refused = self.root / "data" / f"{NAME}.refused"
        tools = folder / "tools"
        tools.mkdir()
        (tools / "sleep").symlink_to(shutil.which("true"))
        self.environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}",
                            "ATTN_DATA_URL": f"http://127.0.0.1:{port}/{NAME}",
                            "ATTN_DATA_SHA256": hashlib.sha256(CONTENT).hexdigest()}

    def fetch(self):
        return subprocess.run([self.root / "bootstrap.sh", "data"], env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)


@pytest.fixture
def clone(tmp_path, server):
    return Clone(tmp_path, server.server_port)


def test_fetches_once(clone, server):
    result = clone.fetch()
    assert result.returncode == 0, result.stderr
    assert clone.archive.read_bytes() == CONTENT
    assert not clone.part.exists()
    result = clone.fetch()
    assert result.returncode == 0
    assert "already there" in result.stderr
    assert server.ranges == [None]


def test_resumes_within_a_run(clone, server):
    server.breaks = [1000, 300000]
    result = clone.fetch()
    assert result.returncode == 0, result.stderr
    assert clone.archive.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1000-", "bytes=300000-"]


def test_resumes_from_an_earlier_run(clone, server):
    clone.part.parent.mkdir()
    clone.part.write_bytes(CONTENT[:12345])
    assert clone.fetch().returncode == 0
    assert clone.archive.read_bytes() == CONTENT
    assert server.ranges == ["bytes=12345-"]


def test_complete_part_is_not_fetched_again(clone, server):
    clone.part.parent.mkdir()
    clone.part.write_bytes(CONTENT)
    assert clone.fetch().returncode == 0
    assert clone.archive.read_bytes() == CONTENT
    assert server.ranges == []


def test_begins_anew_where_the_server_cannot_resume(clone, server):
    server.resumes = False
    server.breaks = [1000]
    result = clone.fetch()
    assert result.returncode == 0, result.stderr
    assert clone.archive.read_bytes() == CONTENT


def test_gives_up_and_keeps_what_came(clone, server):
    server.breaks = [1000, 2000, 3000, 4000, 5000]
    result = clone.fetch()
    assert result.returncode == 1
    assert "run this again to go on" in result.stderr
    assert clone.part.read_bytes() == CONTENT[:5000]
    assert clone.fetch().returncode == 0
    assert clone.archive.read_bytes() == CONTENT


@pytest.mark.parametrize("wrong", [CONTENT[:-1] + b"!", CONTENT + b"more"])
def test_refuses_a_wrong_archive_and_can_go_on(clone, server, wrong):
    server.content = wrong
    result = clone.fetch()
    assert result.returncode == 1
    assert "expected SHA-256" in result.stderr and "Run this again" in result.stderr
    assert clone.refused.read_bytes() == wrong
    assert not clone.archive.exists() and not clone.part.exists()
    server.content = CONTENT
    assert clone.fetch().returncode == 0
    assert clone.archive.read_bytes() == CONTENT


def test_overlong_part_is_refused(clone):
    clone.part.parent.mkdir()
    clone.part.write_bytes(CONTENT + b"more")
    assert clone.fetch().returncode == 1
    assert clone.refused.exists() and not clone.archive.exists()


def test_leaves_a_foreign_archive_alone(clone, server):
    clone.archive.parent.mkdir()
    clone.archive.write_bytes(b"mine")
    result = clone.fetch()
    assert result.returncode == 1
    assert "not the official archive" in result.stderr
    assert clone.archive.read_bytes() == b"mine"
    assert server.ranges == []


def test_says_when_the_server_is_down(tmp_path):
    clone = Clone(tmp_path, 9)
    result = clone.fetch()
    assert result.returncode == 1
    assert "could not fetch" in result.stderr
    assert not clone.archive.exists()
