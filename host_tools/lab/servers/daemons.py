# SPDX-License-Identifier: MIT
"""Real TFTP servers on loopback, a class for each: started on a free port, ready when they answer, stopped by their pid.

    with Atftpd(folder) as server:
        await client.fetch(server.address, server.name("file"), ...)

For tests and benchmarks. They come from build/servers (host_tools/setup/servers.sh) or the system's own folders. Each
runs as the user who started it, because that user can read the folder."""

import abc
import grp
import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = os.pathsep.join([str(ROOT / "build/servers/bin"), os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"])
READY_IN = 20  # seconds; the machine may be busy


class CannotStart(RuntimeError):
    """The server is not installed, has ended, or does not answer; the text has what it printed."""


class Server(abc.ABC):
    """A TFTP server that serves `folder`. `arguments`: further ones for its command line."""

    program = ""
    knows = ()  # options that it knows
    root_only = None  # why only root can start it
    host = "127.0.0.1"
    family = socket.AF_INET

    def __init__(self, folder, *arguments):
        self.folder = Path(folder)
        self.arguments = arguments
        self.port = None
        self._process = None
        self._log = None

    @property
    def address(self):
        """(host, port), as the client's list of servers wants it."""
        return self.host, self.port

    def name(self, file):
        """The name to ask for to get `file` of the folder."""
        return file

    @abc.abstractmethod
    def command(self, program) -> list[str]:
        """The command line."""

    def __enter__(self):
        program = shutil.which(self.program, path=FOLDERS)
        if program is None:
            raise CannotStart(f"{self.program} is not there; host_tools/setup/servers.sh and apt.sh test install it")
        if self.root_only and os.geteuid() != 0:
            raise CannotStart(f"only root can start {self.program}: {self.root_only}")
        self.port = self.free_port()
        log = self.folder.parent / f"{self.program}-{self.port}.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                self.command(program), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        self._log = log
        try:
            self._await_answer(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def free_port(self):
        """A UDP port of the host that is free now."""
        with socket.socket(self.family, socket.SOCK_DGRAM) as probe:
            probe.bind((self.host, 0))
            return probe.getsockname()[1]

    def stop(self):
        """End the server that was started here."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _await_answer(self, process):
        """Ask for a missing file until the server answers that it is missing."""
        request = b"\x00\x01" + self.name("not there").encode() + b"\x00octet\x00"
        ends = time.monotonic() + READY_IN
        with socket.socket(self.family, socket.SOCK_DGRAM) as probe:
            probe.bind((self.host, 0))
            probe.settimeout(0.05)
            while time.monotonic() < ends:
                if process.poll() is not None:
                    raise CannotStart(f"{self.program} ended with {process.returncode}: {self.printed()}")
                probe.sendto(request, self.address)
                try:
                    probe.recvfrom(600)
                    return
                except OSError:
                    pass  # nothing there yet; asked again
        raise CannotStart(f"{self.program} does not answer: {self.printed()}")

    def printed(self):
        """The end of what the server has printed so far."""
        return self._log.read_text(errors="replace")[-2000:] if self._log else ""


class TftpdHpa(Server):
    """tftpd-hpa. It wants absolute names unless it changes its root folder, which only root may do."""

    program = "in.tftpd"
    root_only = "it sets its groups for each transfer, and ends silently where it may not"
    knows = ("blksize", "tsize", "timeout")

    def name(self, file):
        return str(self.folder / file)

    def command(self, program):
        where = f"{self.host}:{self.port}"
        return [program, "-L", "-4", "-a", where, "-u", _user(), *self.arguments, str(self.folder)]


class TftpdHpaOnIpv6(TftpdHpa):
    """tftpd-hpa on IPv6's loopback address."""

    host = "::1"
    family = socket.AF_INET6

    def command(self, program):
        where = f"[{self.host}]:{self.port}"
        return [program, "-L", "-6", "-a", where, "-u", _user(), *self.arguments, str(self.folder)]


class Atftpd(Server):
    """atftpd."""

    program = "atftpd"
    knows = ("blksize", "tsize", "timeout", "windowsize")

    def command(self, program):
        group = grp.getgrgid(os.getgid()).gr_name
        where = ["--port", str(self.port), "--bind-address", self.host]
        who = ["--user", _user(), "--group", group]
        return [program, "--daemon", "--no-fork", *where, *who, "--logfile", "-", *self.arguments, str(self.folder)]


class Dnsmasq(Server):
    """dnsmasq as a TFTP server alone. Its port is always 69, so each server gets a loopback address of its own."""

    program = "dnsmasq"
    root_only = "it serves TFTP on port 69 only"
    knows = ("blksize", "tsize")

    def free_port(self):
        for number in range(2, 254):
            self.host = f"127.69.{os.getpid() % 250}.{number}"
            with socket.socket(self.family, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind((self.host, 69))
                    return 69
                except OSError:
                    continue  # taken, by another test
        raise CannotStart("no loopback address with a free port 69")

    def command(self, program):
        where = ["--port=0", f"--listen-address={self.host}", "--bind-interfaces"]
        files = ["--enable-tftp", f"--tftp-root={self.folder}", f"--user={_user()}"]
        return [program, "--no-daemon", "--conf-file=/dev/null", "--pid-file", *where, *files, *self.arguments]


ALL = (TftpdHpa, Atftpd, Dnsmasq)


def _user():
    return pwd.getpwuid(os.getuid()).pw_name
