# SPDX-License-Identifier: MIT
"""The phone's modules as one file that MicroPython runs where it is mapped (boards/start.py, host_tools/image/romfs.py)."""

import subprocess
from pathlib import Path

import pytest

from host_tools.image import romfs

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
sys.path.append(sys.argv[1])
from boards.start import mount
mount(sys.argv[2])
import one, folder.two
print(one.text, folder.two.number, one.__file__)
with open("/rom/folder/large.bin", "rb") as file:
    print(len(file.read()))
"""


def run(path, architecture, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [ROOT / "host_tools/setup/micropython", architecture, "-X", "heapsize=64k", program, ROOT, path]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("architecture", ["aarch64", "x86_64"])
def test_modules_and_files_of_any_length_are_found(tmp_path, architecture):
    path = tmp_path / "some.romfs"
    files = {
        "one.py": b"text = 'in one'",
        "folder/__init__.py": b"",
        "folder/two.py": b"number = 2",
        "folder/large.bin": bytes(20000),
        "folder/empty.bin": b"",
    }
    path.write_bytes(romfs.pack(files))
    done = run(path, architecture, tmp_path)
    assert done.stdout.splitlines() == ["in one 2 /rom/one.py", "20000"], done.stderr


@pytest.mark.parametrize(
    "content, error", [(None, "ENOENT"), (b"", "EINVAL"), (b"no file system of this kind", "ENODEV")]
)
def test_what_cannot_be_mapped_ends_in_an_error(tmp_path, content, error):
    path = tmp_path / "some.romfs"
    if content is not None:
        path.write_bytes(content)
    done = run(path, "aarch64", tmp_path)
    assert done.returncode == 1 and f"OSError: [Errno {dict(ENOENT=2, EINVAL=22, ENODEV=19)[error]}]" in done.stderr
