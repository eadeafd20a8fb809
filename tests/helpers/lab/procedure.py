# SPDX-License-Identifier: MIT
"""One procedure of an administrator, played against a phone: clusters, steps, and boots of which everything is checked.

    cluster = procedure.start()                          # a phone that has taken this cluster's ITL and configuration
    procedure.step("The CallManager certificate is regenerated.")
    cluster.regenerate("tftp")
    procedure.boot(itl="accepted vouched-by-tvs", signed="accepted signed-by-itl")

boot() checks outcome and reason of every decision, mode and state, and their consequences: an accepted file is on the
phone's flash byte for byte, a refused file has left no trace there, and a phone that is locked out says so, with the advice
for the first refusal.
"""

import contextlib
import hashlib

from agent.flash import slot
from agent.flash.keeper import Configuration
from host_tools.lab.model import forecast
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.servers.tftp import TftpServer
from tests.helpers.lab.independent_reader import File
from tests.helpers.lab.key_pool import PooledKeys

MAC = "00270DC01C92"
ABSENT = "accepted not-found"
SIGNED = "accepted signed-by-itl"


class Step:
    """An event, the phone's decisions, [(what, outcome, reason, text)], and its state afterwards, where that is special."""

    def __init__(self, event, decisions=(), state=""):
        self.event = event
        self.decisions = decisions
        self.state = state


class Procedure:
    """The clusters and phones of one scenario. `make_phone(mac)` gives the phone under test, and more of its kind.

    address: how phones reach this PC; listen: where its servers listen. steps: what was done and decided, for docs/procedures.md.
    """

    def __init__(self, folder, make_phone, address="127.0.0.1", listen="127.0.0.1"):
        self.folder = folder
        self.listen = listen
        self.address = address
        self.steps = []
        self.clusters = {}  # cluster -> its Serving
        self.kinds = []  # (name, kind) of all clusters, for the document
        self._names = {}  # "host:port" -> the node, for texts
        self._places = {}  # phone -> [(cluster, node)]
        self.foretold = True  # whether the clusters' own servers answer, so that the lab can tell what they will do
        self._make_phone = make_phone
        self._stack = contextlib.ExitStack()
        self.phone = self.another_phone(MAC)

    def close(self):
        """Stop the servers and the phones."""
        self._stack.close()

    def another_phone(self, mac):
        """One more phone; the test must tell the clusters about it."""
        phone = self._make_phone(mac)
        self._stack.callback(phone.close)
        return phone

    # Clusters

    def cluster(self, name="lab", phone=MAC, change=None, ports=None, **options):
        """A new cluster with the phone, running. `change(cluster)` is done before its servers start."""
        options.setdefault("address", self.address)
        cluster = Cluster.create(self.folder / name, name=name, key_maker=PooledKeys(), **options)
        self.kinds.append((name, cluster.data["kind"]))
        if phone:
            cluster.add_phone(phone)
        if change:
            change(cluster)
        self.serve(cluster, ports)
        return cluster

    def serve(self, cluster, ports=None):
        """Start a cluster's servers; on these ports, where they are given."""
        address = cluster.node(1)["address"]
        address = self.listen if address == self.address else address
        serving = cluster.serve(address, ports=ports)
        self.clusters[cluster] = self._stack.enter_context(serving)
        for node in cluster.data["nodes"]:
            for port in node["ports"].values():
                self._names[f"{node['address']}:{port}"] = node["name"]
        return serving

    def shut_down(self, cluster):
        """Stop all servers of a cluster."""
        self.clusters.pop(cluster).close()

    def rebuild(self, cluster):
        """A cluster is lost, and installed anew under the same name and addresses; the phone uses the new one."""
        name = cluster.data["name"]
        new = Cluster.create(self.folder / f"{name}-new", name=name, address=self.address, key_maker=PooledKeys())
        for mac in cluster.data["phones"]:
            new.add_phone(mac)
        self.shut_down(cluster)
        self.serve(new, ports={number: node["ports"] for number, node in enumerate(cluster.data["nodes"], 1)})
        self.point_at(new)
        return new

    def start(self, **options):
        """A running cluster, and the phone that has taken its files: the beginning of most procedures."""
        cluster = self.cluster(**options)
        self.point_at(cluster)
        if cluster.data["mixed"]:
            self.boot(
                ctl="accepted first-use",
                itl="accepted signed-by-ctl",
                signed="accepted signed-by-ctl",
                mode="mixed",
                documented=False,
            )
        else:
            self.boot(itl="accepted first-use", documented=False)
        return cluster

    def point_at(self, *places, phone=None):
        """Let the phone use the TFTP servers of these clusters, or (cluster, node), in this order."""
        phone = phone or self.phone
        places = [place if isinstance(place, tuple) else (place, 1) for place in places]
        self._places[phone] = places
        phone.point_at([self._tftp(cluster, node) for cluster, node in places])

    def _tftp(self, cluster, node):
        entry = cluster.node(node)
        if entry["address"] == self.address:
            return f"{self.address}:{entry['ports']['tftp']}"
        # Answers must come from the address that was asked, so another loopback address needs a server of its own.
        server = TftpServer(self.listen, 0, lambda name: cluster.handed_out(name, node), lambda *request: None)
        self._stack.callback(server.close)
        return f"{self.address}:{server.port}"

    # Steps, and the phone's decisions

    def step(self, text):
        """Note what the administrator does next, or what happens."""
        self.steps.append(Step(text))

    def boot(
        self,
        event="The phone restarts.",
        *,
        ctl=ABSENT,
        itl,
        signed=None,
        plain=None,
        default=None,
        https=None,
        lsc=None,
        state="trusted",
        mode="nonsecure",
        phone=None,
        documented=True,
    ):
        """Boot the phone and check its decisions, as "accepted REASON" or "refused REASON".

        ctl, itl: the lists. signed, plain: its own configuration, with .sgn and without; default: the default one, under
        either name. Where none of the three is given, signed=SIGNED. https: the server of the configuration, by HTTPS;
        lsc: the enrolment.
        """
        phone = phone or self.phone
        if signed is plain is default is None:
            signed = SIGNED
        before = phone.stored()
        decisions = phone.boot()
        after, status = phone.stored(), phone.status()
        expected = {
            "ctl": ctl,
            "itl": itl,
            "signed": signed,
            "plain": plain,
            "default": default,
            "configuration": https,
            "lsc": lsc,
        }
        found = {self._topic(phone, item): f"{item['outcome']} {item['reason']}" for item in decisions}
        assert found == {topic: decision for topic, decision in expected.items() if decision}
        assert len(found) == len(decisions)
        if before is not None:
            self._check_forecast(phone, before, decisions)
        if after is not None:
            self._check_flash(phone, decisions, before, after)
        self._check_status(status, decisions, after, state, mode)
        if documented:
            shown = [item for item in decisions if item["kind"] != "ctl" or item["reason"] != "not-found"]
            self.steps.append(Step(event, [self._said(item) for item in shown], _state(status)))
        return status

    def judge(self, what, purpose, certificate, expected):
        """Another program of the phone wants to talk to a TLS server with this certificate; `what` says it in words."""
        decision = self.phone.judge(purpose, certificate)
        assert f"{decision['outcome']} {decision['reason']}" == expected, decision["text"]
        self.steps.append(Step(what, [("Server", decision["outcome"], decision["reason"], self._text(decision))]))

    def erase(self):
        """A person at the phone erases its trust lists."""
        self.phone.erase()
        assert not self.phone.stored()
        self.steps.append(Step("A person erases the trust lists at the phone."))

    def _topic(self, phone, decision):
        kind = decision["kind"]
        if kind.startswith("XMLDefault"):
            return "default"
        return {f"{phone.device}.cnf.xml.sgn": "signed", f"{phone.device}.cnf.xml": "plain"}.get(kind, kind)

    # Consequences of the decisions

    def _check_flash(self, phone, decisions, before, after):
        """Check that accepted files are stored as they were served, and that the rest is as before."""
        expected = dict(before)
        for item in decisions:
            kind = item["kind"]
            if item["outcome"] != "accepted" or item["reason"] == "not-found":
                continue
            if kind in ("ctl", "itl"):
                expected[kind] = self._served(phone, f"{kind.upper()}File.tlv")
                if item["reason"] not in ("unchanged", "signed-by-ctl", "signed-by-itl"):
                    expected.pop("configuration-time", None)  # another cluster has another clock
                if item["reason"] == "unchanged":
                    assert expected[kind] == before[kind]
            elif ".cnf.xml" in kind:
                by_server = item["reason"] == "from-trusted-server"  # unsigned, by HTTPS
                signed = kind.endswith(".sgn") and not by_server
                cluster, node = self._place(phone)
                plain = kind.removesuffix(".sgn") if by_server and cluster.published(kind, node) is None else kind
                content = self._served(phone, plain)
                expected["configuration"] = File(content).body if plain.endswith(".sgn") else content
                expected["configuration-name"] = kind.encode()
                expected["tvs-servers"] = after["tvs-servers"]
                expected.pop("configuration-time", None)
                if signed:
                    expected["configuration-time"] = File(content).fields[15]
        assert _digests(after) == _digests(expected)

    def _check_forecast(self, phone, before, decisions):
        """Check that the lab forecasts the decisions of a phone with these lists, in the same words."""
        if self.foretold:
            assert self.foretell(phone=phone, before=before) == _all_words(phone, decisions)

    def foretell(self, proposed=(), phone=None, before=None):
        """The lab's forecast of the phone's decisions when it restarts: lines of words.

        `proposed`: {cluster: State} where a step was not done yet. `before`: what the phone has stored, default: now."""
        phone = phone or self.phone
        before = phone.stored() if before is None else before
        if before is None:
            return None  # this phone's flash cannot be read
        cluster, node = self._place(phone)
        states = [self._running(each, proposed) for each in [cluster, *(set(self.clusters) - {cluster})]]
        kept = _kept(before)
        known = {str(each.path.resolve()): state for each, state in dict(proposed).items()}
        foretold, _, _ = forecast.boot(
            *states[0], before.get("itl"), before.get("ctl"), phone.mac, node, kept, states[1:], known
        )
        return _all_words(phone, [item.as_dict() for item in foretold])

    def _running(self, cluster, proposed):
        state = dict(proposed).get(cluster) or cluster.state
        return state, cluster.vouches_for(state)

    # Plays (plays.py)

    def boot_as_foretold(self, foretold):
        """Boot the phone and check that its decisions are those of foretell(). The decisions."""
        phone = self.phone
        before = phone.stored()
        decisions = phone.boot()
        if before is not None:
            assert _all_words(phone, decisions) == foretold
            self._check_flash(phone, decisions, before, phone.stored())
        return decisions

    def judge_as_foretold(self, purpose, certificate):
        """The phone judges a server, and the lab forecasts the same. The decision."""
        before = self.phone.stored()
        decision = self.phone.judge(purpose, certificate)
        if before is not None:
            cluster, node = self._place(self.phone)
            lists = before.get("itl"), before.get("ctl")
            paper = forecast.phone_on_paper(*self._running(cluster, ()), *lists, None, 1, _kept(before), ())
            foretold = paper.judge(purpose, certificate).as_dict()
            assert _words(self.phone, foretold) == _words(self.phone, decision)
        return decision

    def _served(self, phone, name):
        """The file that the first running server of the phone hands out."""
        cluster, node = self._place(phone)
        return cluster.state.handed_out(node)[name]

    def _place(self, phone):
        """(cluster, node) of the phone's first running server."""
        return next(place for place in self._places[phone] if place[0] in self.clusters)

    def _check_status(self, status, decisions, after, state, mode):
        """Check that the phone's status shows its lists, and whether the cluster has locked it out."""
        assert (status["state"], status["mode"]) == (state, mode)
        if after is not None:
            for kind in ("ctl", "itl"):
                shown = status["installed"][kind]
                stored = hashlib.sha256(after[kind]).hexdigest() if kind in after else None
                assert (shown and shown["sha256"]) == stored
            name = after.get("configuration-name")
            assert status["configuration"] == (name and name.decode())
        refused = [item for item in decisions if item["outcome"] == "refused"]
        assert status["locked_out"] == bool(refused)
        assert status["advice"] == (refused[0]["text"] if refused else None)

    # For docs/procedures.md

    def _said(self, decision):
        what = "Configuration" if ".cnf.xml" in decision["kind"] else decision["kind"].upper()
        return what, decision["outcome"], decision["reason"], self._text(decision)

    def _text(self, decision):
        text = decision["text"]
        for place, name in self._names.items():
            text = text.replace(place, name)
        return text


def _kept(stored):
    """The configuration that a phone verified last, from what it has stored; None where there is none."""
    if "configuration-name" not in stored:
        return None
    time = stored.get("configuration-time")
    servers = slot.decode_servers(stored["tvs-servers"])
    return Configuration(stored["configuration-name"].decode(), servers, time and int.from_bytes(time, "big"))


def _all_words(phone, decisions):
    """Decisions as lines, without those about files that are not there."""
    return [_words(phone, item) for item in decisions if item["reason"] != "not-found"]


def _words(phone, decision):
    """A decision as one line. A board remembers between two boots which TVS answered last, and tries that one first."""
    text = decision["text"] if phone.kind != "board" else ""
    return f"{decision['kind']} {decision['outcome']} {decision['reason']}: {text}"


def _state(status):
    """State and mode in words, "" where they are the usual ones."""
    words = [status["state"]] if status["state"] != "trusted" else []
    words += [f"in {status['mode']} mode"] if status["mode"] != "nonsecure" else []
    return ", ".join(words + (["locked out"] if status["locked_out"] else []))


def _digests(stored):
    """The sections, short enough to be read where they differ."""
    return {name: hashlib.sha256(content).hexdigest()[:16] for name, content in stored.items()}
