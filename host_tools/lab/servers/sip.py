# SPDX-License-Identifier: MIT
"""The call manager that phones register with: Kamailio, run for one node of a cluster.

A nonsecure cluster takes registrations over TCP. In mixed mode it takes them over TLS only: Kamailio shows the node's CallManager
certificate and wants a certificate that the cluster's CAPF issued (the LSC) for the device that registers. When
certificates are regenerated or the mode changes, the server is started anew, as an administrator restarts the CallManager
service, and phones register again.
"""

import contextlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from host_tools.lab.errors import LabError

SETUP = Path(__file__).resolve().parents[2] / "setup" / "apt.sh"
START_LIMIT = 20.0  # seconds until Kamailio listens
STOP_LIMIT = 5.0  # seconds that it is given to end by itself
EXPIRES_LIMIT = 3600  # seconds for which a registration holds at most

_REGISTERED = re.compile(
    r"@(registered|unregistered|refused) device=(SEP[0-9A-F]{12}) client=(\S+) expires=(\d+) serial=(\S*)"
)
_TLS_ERROR = re.compile(r"ERROR: tls .*TLS accept:error:[^ ]*[^:]*::(.+?)(?: \(sni: .*)?$")
_TLS_CLIENT = re.compile(r"ERROR: tls .*src addr: (\S+)")

_COMMON = """#!KAMAILIO
debug=0
log_stderror=yes
children=1
tcp_children=2
auto_aliases=no
auto_bind_ipv6=no
dns=no
rev_dns=no
tcp_connection_lifetime=3700
{listen}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", {expires})
modparam("registrar", "default_expires", 120)
modparam("registrar", "max_contacts", 1)
modparam("xlog", "prefix", "")
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (!is_method("REGISTER")) {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
    if (!($tU =~ "^SEP[0-9A-F]{{12}}$")) {{ sl_send_reply("404", "Unknown Device"); exit; }}
{check}
    if (!save("location", "0x04")) {{ sl_reply_error(); exit; }}
    if ($(hdr(Contact){{s.len}}) == 0) {{ exit; }}
    $var(expires) = $(hdr(Expires){{s.int}});
    if ($hdr(Contact) =~ "expires=0" || $hdr(Expires) == "0") {{
        xlog("L_ALERT", "@unregistered device=$tU client=$si:$sp expires=0 serial={serial}\\n");
    }} else {{
        xlog("L_ALERT", "@registered device=$tU client=$si:$sp expires=$var(expires) serial={serial}\\n");
    }}
    exit;
}}
"""
_TLS = """enable_tls=yes
listen=tls:{address}:{port}
loadmodule "tls.so"
modparam("tls", "config", "{folder}/tls.cfg")"""
_TLS_CHECK = """    if ($tls_peer_verified != 1 || !($tls_peer_subject_cn =~ "^(CP-[0-9A-Za-z]+-)?" + $tU + "$")) {
        xlog("L_ALERT", "@refused device=$tU client=$si:$sp expires=0 serial=$tls_peer_serial\\n");
        sl_send_reply("403", "Certificate of Another Device");
        exit;
    }"""
_TLS_CONFIGURATION = """[server:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
private_key = {folder}/callmanager.pem
certificate = {folder}/callmanager.pem
ca_list = {folder}/capf.pem
[client:default]
verify_certificate = yes
"""


class SipServer:
    """Kamailio for node `number` of `cluster` on (`address`, `port`), port 0 = a free one.

    `on_event(what, **details)` is called for registrations and refused connections. registrations: {device: what
    `lab status` shows}. stop() ends it, start() starts it on the same port, follow() starts it anew where
    certificates or mode have changed since its start. LabError where it does not start.
    """

    def __init__(self, cluster, number, address, port, on_event):
        self._cluster, self._number, self._address, self._on_event = cluster, number, address, on_event
        self._folder = Path(tempfile.mkdtemp(prefix="sip-"))
        self._process = self._started_with = None
        self._said = []
        self._lock = threading.Lock()
        self._registrations = {}
        self.port = port or free_port(address)
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def running(self):
        """True while Kamailio runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def registrations(self):
        """{device: {"client", "expires_at", "transport", "certificate"}} of the phones whose registration holds."""
        with self._lock:
            now = time.time()
            return {device: dict(found) for device, found in self._registrations.items() if found["expires_at"] > now}

    def start(self):
        """Start Kamailio, if it does not run, and wait until it listens."""
        if self.running:
            return
        state = self._cluster.state
        self._started_with = self._wanted(state)
        self._write_configuration(state)
        self._said = []
        with self._lock:
            self._registrations = {}
        self._process = subprocess.Popen(
            # setpriv: Kamailio ends when this process ends.
            ["setpriv", "--pdeathsig", "TERM", kamailio(), "-DD", "-E", "-m", "16", "-M", "4", "-Y", self._folder, "-f",
             self._folder / "kamailio.cfg"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        threading.Thread(target=self._listen, args=(self._process,), daemon=True, name="kamailio").start()
        deadline = time.monotonic() + START_LIMIT
        while not self._answers():
            if not self.running or time.monotonic() > deadline:
                said = "\n".join(self._said[-5:])
                self.stop()
                raise LabError(f"the call manager of node {self._number} does not start on port {self.port}:\n{said}")
            time.sleep(0.05)

    def stop(self):
        """End Kamailio: its port and all connections are closed when this returns."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        with self._lock:
            self._registrations = {}

    def close(self):
        """End the server and remove its folder."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def follow(self):
        """Start anew where the cluster's certificates or mode have changed. True where it did."""
        if not self.running or self._wanted(self._cluster.state) == self._started_with:
            return False
        self.stop()
        self.start()
        return True

    def _wanted(self, state):
        """The mode and certificates that the server depends on."""
        if not state.data["mixed"]:
            return "nonsecure"
        return state.identities[f"callmanager-{self._number}"].der, state.identities["capf"].der

    def _write_configuration(self, state):
        secure = state.data["mixed"]
        values = {"address": self._address, "port": self.port, "folder": self._folder}
        listen = _TLS if secure else "disable_tls=yes\nlisten=tcp:{address}:{port}"
        text = _COMMON.format(
            listen=listen.format(**values),
            check=_TLS_CHECK if secure else "",
            serial="$tls_peer_serial" if secure else "",
            expires=EXPIRES_LIMIT,
        )
        (self._folder / "kamailio.cfg").write_text(text)
        if secure:
            (self._folder / "tls.cfg").write_text(_TLS_CONFIGURATION.format(**values))
            key = self._folder / "callmanager.pem"
            key.touch(0o600)
            key.write_bytes(state.identities[f"callmanager-{self._number}"].pem())
            authority = state.identities["capf"].certificate.public_bytes(serialization.Encoding.PEM)
            (self._folder / "capf.pem").write_bytes(authority)

    def _answers(self):
        with contextlib.suppress(OSError), socket.create_connection((self._address, self.port), 1.0):
            return True
        return False

    def _listen(self, process):
        """Read Kamailio's log until it ends. For a failed handshake it prints the cause first, then the client."""
        why = "no TLS"
        with process.stderr:
            for line in process.stderr:
                self._said = [*self._said[-20:], line.rstrip("\n")]
                found = _REGISTERED.search(line)
                if found:
                    self._note(*found.groups())
                    continue
                found = _TLS_ERROR.search(line)
                if found:
                    why = found[1]
                found = _TLS_CLIENT.search(line)
                if found:
                    self._on_event("failed connection", client=found[1], text=why)
                    why = "no TLS"

    def _note(self, what, device, client, expires, serial):
        certificate = self._certificate(serial) if serial else None
        entry = {
            "client": client,
            "expires_at": time.time() + (int(expires) or 120),
            "transport": "tls" if serial else "tcp",
            "certificate": certificate,
        }
        with self._lock:
            before = self._registrations.pop(device, None)
            if what == "registered":
                self._registrations[device] = entry
        again = before is not None and (before["client"], before["certificate"]) == (client, certificate)
        if what != "registered" or not again:
            details = {"serial": certificate["serial"]} if certificate else {}
            self._on_event(what, device=device, client=client, transport=entry["transport"], **details)

    def _certificate(self, serial):
        """{"serial": hexadecimal, "issuer": the CAPF's name} of a phone's certificate; serial: decimal digits."""
        from host_tools.lab.writers import files

        number = f"{int(serial):x}" if serial.isdigit() else serial
        return {"serial": number, "issuer": files.name_text(self._cluster.identity("capf").certificate.subject)}


def kamailio():
    """Kamailio's program, installed if it is missing. LabError where that cannot be done."""
    for _ in range(2):
        found = shutil.which("kamailio") or shutil.which("kamailio", path="/usr/sbin:/usr/local/sbin")
        if found:
            return found
        done = subprocess.run([SETUP, "sip"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            break
    raise LabError("the call manager needs Kamailio (Debian: kamailio, kamailio-tls-modules), which is not installed")


def free_port(address):
    """A TCP port that is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]
