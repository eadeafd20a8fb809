# SPDX-License-Identifier: MIT
"""Other programs on the board beside the agent: the C example asks for the directory, another program for a file.

They come as one more archive behind the card's initramfs, so that the image that is flashed stays small."""

import pytest

from host_tools.board import card as cards
from host_tools.image import board as boards
from host_tools.image import cpio, elf
from tests.helpers.lab.procedure import MAC
from tests.helpers.native.make import make

BOARD = boards.TOP / "build/native/client/board"
LIBRARIES = [boards.TOP / "build/sysroot/aarch64/usr/lib/aarch64-linux-gnu", boards.TOP / "build/native/aarch64"]
IN_THE_IMAGE = ("ld-linux-aarch64.so.1", "libc.so.6")
CONFIGURATION = f"SEP{MAC}.cnf.xml"

DIRECTORY = r"""#!/bin/sh
while :; do
    /programs/bin/example_directory https://{address}:{application}/directory.xml 2>&1 | sed -n 's/^/directory: /; /Title\|ed /p'
    /programs/bin/example_directory https://{address}:{capf}/directory.xml 2>&1 | sed 's/^/wrong server: /'
    sleep 1
done
"""
# The connection is held until the file was read: it goes with it.
FILE = """#!/bin/sh
/programs/bin/scripted /run/phone/trust.sock 30000 fetch={file}:200 event=20000 >/dev/null &
until [ -s /run/phone/files/1 ]; do sleep 1; done
sed 's/^/file: /' /run/phone/files/1
kill $!
id | sed 's/^/program: /'
touch /run/phone/files/2 2>&1 | sed 's/^/program: /'
sleep 3600
"""


@pytest.fixture(scope="session")
def programs():
    """What goes to /programs/bin: {path: cpio.Entry}."""
    make("native/client", "board")
    example = BOARD / "example_directory"
    found = {
        f"bin/{path.name}": cpio.file(path.read_bytes(), executable=True) for path in (example, BOARD / "scripted")
    }
    for name, path in elf.libraries(example, LIBRARIES).items():
        if name not in IN_THE_IMAGE:
            found[f"bin/lib/{name}"] = cpio.file(path.read_bytes(), executable=True)
    return found


@pytest.fixture
def phone_with_programs(phone, settings, serving, environment, programs):
    """The phone, its card with the programs; off."""
    phone.new(**settings)
    values = {
        "address": environment.config.get_option("address"),
        "application": serving.port("application"),
        "capf": serving.port("capf"),
        "file": CONFIGURATION,
    }
    scripts = {"directory": DIRECTORY, "file": FILE}
    started = {name: cpio.file(text.format(**values).encode(), executable=True) for name, text in scripts.items()}
    with phone.card.in_pc() as path:
        cards.add_files(path, {f"programs/{name}": entry for name, entry in {**programs, **started}.items()})
    return phone


@pytest.mark.needs("card")
def test_directory_and_files_on_the_board(phone_with_programs, cluster, serving):
    phone = phone_with_programs
    assert phone.boot() == ("trusted", "nonsecure", False)
    phone.expect("file: .*<device", 60)
    phone.expect(r"program: uid=\d+\(program\) gid=\d+\(phone\)", 30)
    phone.expect("program: touch: .*: Permission denied", 30)
    phone.expect("directory:  *<Title>Lab directory</Title>", 60)
    phone.expect("directory: accepted vouched-by-tvs", 60)
    phone.expect("wrong server: refused tvs-wrong-role", 60)

    tvs, tftp = len(serving.events.matching(service="tvs")), len(serving.events.matching(service="tftp"))
    cluster.regenerate("tomcat")
    for _ in range(3):  # the first may have begun before
        phone.expect("directory: accepted vouched-by-tvs", 60)
    assert len(serving.events.matching(service="tvs")) > tvs, "TVS was not asked about the new certificate"
    assert len(serving.events.matching(service="tftp")) == tftp, "something was fetched"

    cluster.set_rollback(True)
    phone.restart()
    for _ in range(2):
        phone.expect("directory: refused after-rollback: ", 60)
    sent = len(serving.events.matching(service="application", what="fetch"))
    phone.expect("directory: refused after-rollback: ", 60)
    assert len(serving.events.matching(service="application", what="fetch")) == sent


def test_an_image_has_no_other_programs(phone, settings):
    phone.new(**settings)
    phone.boot()
    assert "directory:" not in phone.heard
    assert phone.status()["requests"] == []
