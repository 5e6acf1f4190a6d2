# SPDX-License-Identifier: Apache-2.0
"""A copy of bootstrap.sh in a folder with spaces in its name, and stand-ins for tools that would change the machine."""
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
REAL_TOOLS = ["bash", "cat", "dirname", "env", "grep"]


class Machine:
    """By default Debian 12 with root access and every package; tests change what they need."""

    def __init__(self, folder):
        self.root = folder / "a clone with spaces"
        self.elsewhere = folder / "elsewhere"
        self.tools = folder / "tools"
        self.log = folder / "log"
        self.os_release = folder / "os-release"
        self.usual_nvcc = folder / "usual place/nvcc"  # a test may put a compiler here; by default there is none
        for made in (self.root, self.elsewhere, self.tools):
            made.mkdir()
        (self.root / "tests").mkdir()
        for script in ("bootstrap.sh", "tests/stages.sh"):
            shutil.copy(ROOT / script, self.root / script)
        for name in REAL_TOOLS:
            (self.tools / name).symlink_to(shutil.which(name))
        self.os_release.write_text('ID=debian\nVERSION_ID="12"\n')
        self.absent()
        self.tool("apt-get")
        self.tool("id", "echo 0")
        self.tool("cmake")
        trainer = self.root / "build/release/host/classifier/attn_train"
        trainer.parent.mkdir(parents=True)
        self.script(trainer, 'printf "<%s>" "$@"; echo; echo "in $PWD"; echo "IMDB ${ATTN_IMDB:-none}"')

    @staticmethod
    def script(path, body):
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)

    def tool(self, name, body=""):
        """Makes a stand-in for a tool that logs its call and then runs `body`."""
        self.script(self.tools / name, f'echo "{name} $*" >>"{self.log}"\n{body}')

    def absent(self, *packages):
        """Makes dpkg-query report all packages except these as installed; "all" means that none is."""
        words = " ".join(packages)
        self.tool("dpkg-query", f'for package in "${{@:3}}"; do\n'
                                f'  [[ " {words} " == *" all "* || " {words} " == *" $package "* ]] || echo "installed $package"\n'
                                f"done")

    def run(self, *arguments):
        self.log.write_text("")
        environment = {"PATH": str(self.tools), "ATTN_OS_RELEASE": str(self.os_release),
                       "ATTN_NVCC": str(self.usual_nvcc)}
        return subprocess.run([self.root / "bootstrap.sh", *arguments], cwd=self.elsewhere, env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    def calls(self, name):
        return [line.split()[1:] for line in self.log.read_text().splitlines() if line.split()[0] == name]

    def installed(self):
        """The packages that apt-get was called to install."""
        return {word for call in self.calls("apt-get") if call[0] == "install" for word in call[1:] if word[0] != "-"}


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)
