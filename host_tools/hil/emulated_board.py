# SPDX-License-Identifier: MIT
"""A board in QEMU as a labgrid driver: its power, its console, its network cable.

labgrid's own QEMUDriver builds its command line from images of the environment and waits for ever when QEMU ends at its
start. Here the command line comes from the board's folder and the card, and a QEMU that ends is an error with its words.
"""

import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import attr
import pexpect
from labgrid.driver import QEMUDriver
from labgrid.driver.exception import ExecutionError
from labgrid.factory import target_factory
from labgrid.step import step
from labgrid.util.qmp import QMPError, QMPMonitor

from host_tools.board import emulator
from host_tools.hil.record import Recorded
from host_tools.image import board as boards

START_LIMIT = 20.0  # seconds for QEMU to open its console


@target_factory.reg_driver
@attr.s(eq=False)
class EmulatedBoardDriver(Recorded, QEMUDriver):
    """A board of boards/ in QEMU.

    Args:
        board (str): its folder
        mac (str): its MAC address, 12 hexadecimal digits
        start (str): what QEMU starts, "u-boot" or "kernel"; default: what board.toml says for tests
        extra (list): more arguments for QEMU
    """

    bindings = {"card": "EmulatedCardDriver"}

    board = attr.ib(default="", validator=attr.validators.instance_of(str))
    mac = attr.ib(default=emulator.DEFAULT_MAC, validator=attr.validators.instance_of(str))
    start = attr.ib(default="", validator=attr.validators.instance_of(str))
    extra = attr.ib(factory=list, validator=attr.validators.instance_of(list))
    # QEMUDriver wants these; boards/*/board.toml says them.
    qemu_bin = attr.ib(default="", init=False)
    machine = attr.ib(default="", init=False)
    cpu = attr.ib(default="", init=False)
    memory = attr.ib(default="", init=False)

    def on_activate(self):
        self._tempdir = tempfile.mkdtemp(prefix="phonetrust-")
        self._path = f"{self._tempdir}/console"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(self._path)
        self._socket.listen(1)
        self._socket.settimeout(0.1)

    def on_deactivate(self):
        self.off()
        self._socket.close()
        self._socket = None
        shutil.rmtree(self._tempdir, ignore_errors=True)

    @step()
    def on(self):
        """Power on. ExecutionError with QEMU's words where it does not start."""
        if self.status:
            return
        folder = pathlib.Path(self._tempdir)
        described = boards.load(self.board)
        start = self.start or (described.qemu.test_start if described.qemu else None)
        command = emulator.base_command(described, self.card.file, folder / "boot", self.mac, start)
        command += [*self.extra, "-S", "-qmp", "stdio", "-chardev", f"socket,id=console,path={self._path}"]
        command += ["-serial", "chardev:console"]
        with open(folder / "qemu.log", "wb") as complaints:
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, start_new_session=True
            )
        try:
            self._clientsocket = self._accept()
            self.qmp = QMPMonitor(self._child.stdout, self._child.stdin)
        except (OSError, QMPError) as error:
            self._kill()
            said = (folder / "qemu.log").read_text(errors="replace").strip().splitlines()
            raise ExecutionError(f"QEMU did not start: {said[-1] if said else error}") from error
        self.status = 1
        self._expect.buffer = b""  # the words of an earlier power-on
        self.note("power on")
        self.monitor_command("cont")

    def _accept(self):
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            try:
                connected, _ = self._socket.accept()
            except TimeoutError:
                if self._child.poll() is not None:
                    raise OSError(f"it ended with status {self._child.returncode}") from None
                continue
            connected.setblocking(False)
            return connected
        raise OSError(f"it opened no console within {START_LIMIT:.0f} s")

    @step()
    def off(self):
        """Power off as by pulling the plug: whatever the board was writing stays as it is."""
        if not self.status:
            return
        self._kill()
        self.drain()
        self._clientsocket.close()
        self._clientsocket = None
        self.note("power off")
        self.status = 0

    def _kill(self):
        self._child.kill()
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            try:
                stream.close()
            except OSError:
                pass
        self._child = None

    @step(args=["connected"])
    def cable(self, connected):
        """Plug the network cable in or out."""
        self.monitor_command("set_link", {"name": "net0", "up": connected})

    @step(args=["sectors"])
    def slow_card(self, sectors):
        """Until power-off, the card takes only so many sectors a second, so that the PC sees each state of a write."""
        free = {"bps": 0, "bps_rd": 0, "bps_wr": 0, "iops": 0, "iops_rd": 0}
        self.monitor_command("block_set_io_throttle", {"device": "sd0", **free, "iops_wr": sectors})

    def _read(self, size=1, timeout=10, max_size=None):
        data = super()._read(size=size, timeout=max(timeout, 0), max_size=max_size)
        if not data:  # labgrid would read on until its time is up
            raise pexpect.EOF("the emulated board has ended")
        return data
