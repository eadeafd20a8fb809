# SPDX-License-Identifier: MIT
"""A cluster on the fake network and a phone that boots against it, on both Pythons.

world = World({"ITLFile.tlv": vector("itl-base.tlv")})
world.boot()                       one whole boot; world.reasons() gives the decisions
world.restart()                    the same phone, power-cycled: only its flash is left"""

from agent.flash.identity import parse_pem
from agent.formats import names
from agent.local.console import Console
from agent.main import Phone, Wishes
from agent.servers.tvs import message as tvs_message
from agent.settings import Settings
from hal.fake import Hal
from tests.helpers.agent.both import run, vector
from tests.helpers.agent.building import der, fields, library

FLASH = 98304  # bytes; small, because many copies of it are made in one MicroPython
SERVER, SECOND = "192.0.2.1", "192.0.2.2"
TVS_HOST = "127.0.0.1"  # as the configurations of the vectors say


class TftpServer:
    """A TFTP server in a few lines: `files` by name, block size as asked for, one block at a time."""

    def __init__(self, files):
        self.files = files
        self.asked = []
        self._transfers = {}

    def __call__(self, packet, source, reply):
        if packet[1] == 1:
            fields_ = packet[2:].split(b"\0")
            name = fields_[0].decode()
            self.asked.append(name)
            if name not in self.files:
                reply(b"\0\5\0\1no such file\0")
                return
            asked = {fields_[n]: fields_[n + 1] for n in range(2, len(fields_) - 1, 2)}
            size = int(asked.get(b"blksize", b"512"))
            self._transfers[source] = (self.files[name], size)
            if b"blksize" in asked:
                reply(b"\0\6blksize\0%d\0" % size)
                return
            self._send(source, 1, reply)
        elif packet[1] == 4 and source in self._transfers:
            self._send(source, (packet[2] << 8 | packet[3]) + 1, reply)

    def _send(self, source, number, reply):
        data, size = self._transfers[source]
        if (number - 1) * size <= len(data):
            reply(b"\0\3" + number.to_bytes(2, "big") + data[(number - 1) * size : number * size])


class TvsServer:
    """A TVS server that vouches for `roles`: certificate file to role numbers. asked: commands."""

    def __init__(self, roles):
        self.roles = roles
        self.asked = []

    def __call__(self, peer, data):
        if not data:
            return
        request = tvs_message.decode(data)
        self.asked.append(request.command)
        for file in self.roles:
            certificate, found = der(file), fields(file)
            if request.certificate is not None:
                same = request.certificate == certificate
            else:
                same = request.serial == found.serial and names.same(request.issuer, found.issuer) is True
            if same:
                elements = [(7, b"\0"), (2, certificate), (8, bytes(self.roles[file])), (9, b"\0\1\x51\x80")]
                peer.say(tvs_message.encode(request.command + 1, request.session, elements))
                return
        peer.say(tvs_message.encode(request.command + 1, request.session, [(7, b"\1")]))


def own_pair():
    """The phone's certificate and key of the vectors, which its encrypted configuration is for."""
    return parse_pem(str(vector("lsc.pem"), "utf-8"))


class TestedPhone(Phone):
    """A phone that keeps all decisions that it reports."""

    def __init__(self, *arguments, **options):
        self.reported = []
        Phone.__init__(self, *arguments, **options)

    def report(self, decision):
        """Keep it, too."""
        self.reported.append(decision)
        Phone.report(self, decision)


class World:
    """files: what the TFTP server at SERVER has. settings: other than mac and tftp. flash: of an earlier phone. mic: its
    maker's certificate and key. phone: the agent.main.Phone that is switched on."""

    def __init__(self, files=None, flash=None, mic=None, **settings):
        settings.setdefault("tftp", [SERVER])
        settings["mac"] = "00270DC01C92"
        self.settings = Settings(settings)
        self.files = files if files is not None else {}
        self.server = TftpServer(self.files)
        self.hal = Hal(library(), size=FLASH)
        if flash is not None:
            self.hal.flash = flash
        self.hal.net.serve_udp(SERVER, 69, self.server)
        self.mic = mic
        self.user = None
        self.make_phone()

    def make_phone(self, servers=()):
        """A phone that was just switched on."""
        self.phone = TestedPhone(self.hal, self.settings, servers, mic=self.mic, user=self.user)
        self.console = Console(self.phone.view, Wishes(self.phone), self.hal.console.write)
        return self.phone

    @property
    def reported(self):
        """The decisions since the phone was switched on."""
        return self.phone.reported

    @property
    def trust(self):
        """What the phone trusts."""
        return self.phone.judge.trust

    @property
    def store(self):
        """The phone's store."""
        return self.phone.keeper.store

    @property
    def identity(self):
        """The phone's certificates."""
        return self.phone.keeper.identity

    @property
    def configuration(self):
        """The configuration that the phone verified last, or None."""
        return self.phone.keeper.configuration

    def tvs(self, roles, certificate="tvs.cert.pem", host=TVS_HOST):
        """Start TVS; it shows this certificate and vouches for `roles`."""
        server = TvsServer(roles)
        self.hal.net.serve_tcp(host, 2445, server, der(certificate))
        return server

    def load(self):
        """The first step alone, which reads the flash. The Decision about lost trust, or None."""
        return self.phone.installed.run()

    def boot(self):
        """Boot once more; True where everything was accepted."""
        return run(self.phone.work.boot())

    def restart(self):
        """Power off and on, and boot."""
        self.make_phone()
        return self.boot()

    def turn(self):
        """Do what a person asked for, or what is due."""
        run(self.phone.work.turn())

    def judge_server(self, purpose, certificate):
        """The Decision about a TLS server, asked for outside of the boot."""
        deadline = self.hal.clock.monotonic() + 60000
        return self.phone.history.record(run(self.phone.judge.server(purpose, certificate, deadline)))

    def fetch_list(self, kind):
        """The step of one list alone; its Decision."""
        boot = self.phone.work.boot_order
        return run(boot.steps[("ctl", "itl").index(kind)].run(boot.begin()))

    def fetch_configuration(self):
        """The configuration's step alone; its Decision."""
        boot = self.phone.work.boot_order
        return run(boot.configuration.run(boot.begin()))

    def update_lsc(self, string=None):
        """Ask CAPF as `update lsc` does at the console, at once."""
        self.phone.work.update_lsc(string)
        self.turn()

    def type_in(self, *lines):
        """What the console shows for these lines; each command ends before the next line is typed."""
        self.hal.console.output = ""
        for line in lines:
            run(self.console.command(line))
            self.turn()
        return self.hal.console.output

    def erase(self, what):
        """Erase the trust as a person does at the console; the Decision."""
        run(self.phone.work.erase(what))
        return self.reported[-1]

    def reasons(self):
        """The decisions since the start: "kind reason", refusals with a "!"."""
        return ["%s %s%s" % (one.kind, "" if one.accepted else "!", one.reason) for one in self.reported]

    def stored(self):
        """What the flash holds, as a phone that is switched on finds it: (ctl, itl, configuration name, body)."""
        phone = TestedPhone(self.hal, self.settings)
        phone.installed.run()
        assert not phone.judge.trust.lost, [one.reason for one in phone.reported]
        found = phone.keeper.store.current
        if found is None:
            return (None, None, None, None)
        parts = [found.read(name) for name in ("ctl", "itl", "configuration-name", "configuration")]
        return tuple([None if part is None else bytes(part) for part in parts])
