# SPDX-License-Identifier: MIT
"""Writes baresip's files from what the agent answers: settings.py FOLDER [SOCKET], on MicroPython or CPython.

It makes config, accounts and openssl.cnf in FOLDER, then the empty file `ready`. It ends when trust, configuration or the LSC
have changed, so that the script `start` starts it and baresip again. The call manager comes from the phone's verified
configuration, the mode from the installed lists, certificates from the files that the agent keeps (docs/keys.md).
"""

import json
import socket
import sys

SOCKET = "/run/phone/trust.sock"
MODULES = "/usr/lib/baresip/modules"
PROVIDER = "/usr/lib/aarch64-linux-gnu/ossl-modules/pkcs11.so"
PKCS11 = "/usr/lib/aarch64-linux-gnu/libphonetrust-pkcs11.so"
INTERVAL = 60  # seconds for which baresip registers

OPENSSL = """openssl_conf = openssl_init
[openssl_init]
providers = provider_section
[provider_section]
default = default_section
pkcs11 = pkcs11_section
[default_section]
activate = 1
[pkcs11_section]
module = %s
pkcs11-module-path = %s
activate = 1
"""


class Agent:
    """A connection to the agent's service."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if sys.implementation.name == "micropython":  # its connect() takes the system's own structure
            self._socket.connect(b"\x01\x00" + path.encode() + b"\x00")
            self._lines = self._socket
        else:
            self._socket.connect(path)
            self._lines = self._socket.makefile("rb")
        self.line()

    def line(self):
        """The agent's next line, as an object. OSError where the agent has gone."""
        text = self._lines.readline()
        if not text:
            raise OSError("the agent has gone")
        return json.loads(text)

    def ask(self, **request):
        """The answer to one request. OSError where it is refused."""
        self._socket.send(json.dumps(request).encode() + b"\n")
        answer = self.line()
        if not answer["ok"]:
            raise OSError(answer["error"])
        return answer


def between(text, start, end):
    """The text between two texts, or None."""
    at = text.find(start)
    stop = text.find(end, at + len(start))
    return None if at < 0 or stop < 0 else text[at + len(start) : stop]


def call_manager(configuration, secure):
    """(address, port) of the first call manager in a phone's configuration. OSError where it names none."""
    manager = between(configuration, "<callManager>", "</callManager>") or ""
    tag = "securedSipPort" if secure else "sipPort"
    address = between(manager, "<processNodeName>", "</processNodeName>")
    port = between(manager, "<%s>" % tag, "</%s>" % tag)
    if not address or not port:
        raise OSError("the configuration names no call manager for SIP")
    return address, int(port)


def write(folder, name, text):
    """Replace a file."""
    with open(folder + "/" + name, "w") as file:
        file.write(text)


def make(agent, folder, certificates, mode):
    """Write baresip's files. OSError where the agent has no configuration."""
    device = agent.ask(id=1, do="status")["status"]["device"]
    answer = agent.ask(id=2, do="fetch", name=device + ".cnf.xml")
    if not answer["path"]:
        raise OSError("no configuration: " + answer["decision"]["text"])
    with open(answer["path"]) as file:
        configuration = file.read()
    secure = mode == "mixed"
    address, port = call_manager(configuration, secure)
    lines = [
        "module_path " + MODULES,
        "module g711.so",
        "module uuid.so",
        "module_app account.so",
        "module_app menu.so",
    ]
    if secure:
        lines += ["sip_cafile %s/callmanagers.pem" % certificates, "sip_verify_server yes"]
        lines += ["sip_certificate %s/phone.pem" % certificates]
    write(folder, "config", "\n".join(lines) + "\n")
    transport = "tls" if secure else "tcp"
    write(
        folder, "accounts",
        "<sip:%s@%s:%d;transport=%s>;regint=%d\n" % (device, address, port, transport, INTERVAL),
    )  # fmt: skip
    write(folder, "openssl.cnf", OPENSSL % (PROVIDER, PKCS11))
    print("%s registers with %s port %d by %s" % (device, address, port, transport))


def main(folder, path=SOCKET):
    """Write the settings, then wait until they are out of date."""
    events = Agent(path)
    trust = events.ask(id=1, do="subscribe")["trust"]  # before the files are read, so that no change is missed
    make(Agent(path), folder, path[: path.rfind("/")] + "/certificates", trust["mode"])
    write(folder, "ready", "")
    while True:
        event = events.line()
        changed = event.get("event") == "trust"
        if event.get("event") == "decision":
            changed = event["decision"]["kind"] == "lsc" and event["decision"]["outcome"] == "accepted"
        if changed:
            print("trust or certificate have changed: starting again")
            return


try:
    main(*sys.argv[1:])
except OSError as error:
    print(error.args[-1])
    sys.exit(1)
