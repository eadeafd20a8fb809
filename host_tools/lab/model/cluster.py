# SPDX-License-Identifier: MIT
"""A lab cluster as an object: make it, read it, change it, serve it.

    cluster = Cluster.create(path, nodes=2)
    cluster.add_phone("00270DC01C92")
    with cluster.serve() as serving:
        serving.tftp_port(1), serving.tvs_port(2), serving.events
        cluster.regenerate("tftp", node=1)      # the running servers hand out the new state at once

Nodes are numbered from 1, the publisher. Every change is one new generation (state.py), so it happens whole or not at all.
"""

import contextlib
import re
from pathlib import Path

from host_tools.lab.errors import LabError
from host_tools.lab.model import forecast
from host_tools.lab.model.bulk import Bulk
from host_tools.lab.model.certificates import Certificates
from host_tools.lab.model.holdings import Holdings
from host_tools.lab.model.keys import KeyMaker, make_identity
from host_tools.lab.model.loads import Loads
from host_tools.lab.model.parameters import Parameters, check_address
from host_tools.lab.model.phones import Phones
from host_tools.lab.model.releases import DEFAULT_BUILD, Releases, check_build
from host_tools.lab.model.state import FORMAT, State, Store
from host_tools.lab.model.transfer import Transfers, nothing_saved
from host_tools.lab.writers import configuration, files, kinds, publish

# https: configuration files, as on port 6971; directory: plain HTTP, as on port 8080
SERVICES = ("tftp", "tvs", "application", "http", "https", "capf", "directory", "sip")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?")


class Cluster(Phones, Loads, Certificates, Parameters, Releases, Transfers, Bulk):
    """The cluster in the folder `path`. Objects are cheap: they hold only a cache of the current generation."""

    def __init__(self, path, key_maker=None):
        self.path = Path(path)
        self.store = Store(self.path)
        self.holdings = Holdings(self.path)
        self.key_maker = key_maker or KeyMaker()
        self._draft = None  # inside proposal(): the state that steps change

    @classmethod
    def create(
        cls,
        path,
        nodes=1,
        mixed=None,
        kind=kinds.DEFAULT,
        name="lab",
        address="127.0.0.1",
        digest="sha512",
        key_maker=None,
        old_release=None,
        engineering=False,
        **parts,
    ):
        """Make a new cluster in `path` with fresh keys: publisher and `nodes - 1` subscribers.

        `kind` is one of kinds.KINDS, `parts` those of kinds.OPEN_PARTS that an open cluster has, `mixed` None for the
        kind's default, `digest` one of files.DIGESTS, `address` the address that phones are given. `old_release`
        is the build of a release before 8.0 that the cluster begins with, `engineering` whether it is an engineering
        special. LabError when the folder already holds a cluster or an argument is out of range.
        """
        cluster = cls(path, key_maker)
        if kind not in kinds.KINDS:
            raise LabError(f"kind {kind!r} is unknown; these are: {', '.join(kinds.KINDS)}")
        if parts and kind != "open":
            raise LabError(f"only open clusters have a choice of {', '.join(sorted(parts))}")
        if digest not in files.DIGESTS:
            raise LabError(f"digest {digest!r} is unknown; these are: {', '.join(files.DIGESTS)}")
        if not 1 <= nodes <= 8:
            raise LabError(f"a lab cluster has 1 to 8 nodes, not {nodes}")
        if not _NAME.fullmatch(name):
            raise LabError(f"{name!r} cannot be a cluster's name: letters, digits and hyphens, at most 32")
        check_address(address)
        check_build(old_release or DEFAULT_BUILD)
        with cluster.store.lock():
            if cluster.store.exists():
                raise LabError(f"{path} already holds a lab cluster")
            data = fresh_data(name, kind, [fresh_node(name, number, address) for number in range(1, nodes + 1)])
            data["open"] = kinds.open_parts(parts) if kind == "open" else None
            data["mixed"] = data["mixed"] if mixed is None else mixed
            data["digest"] = digest
            data["pre8"] = old_release is not None
            data["old_release"] = {"build": old_release or DEFAULT_BUILD, "engineering": engineering}
            if old_release is not None:
                kinds.needs_vendor(data, "releases")
                data["digest"] = "sha1"
            state = State(data, {}, {}, {})
            cluster.make_identities(state)
            cluster.holdings.begin(cluster.publish_and_commit(state))
        return cluster

    @property
    def state(self):
        """The current State, or the proposed one; treat it as read-only."""
        return self._draft or self.store.current()

    @property
    def data(self):
        """The JSON object of the current generation; treat it as read-only."""
        return self.state.data

    def published(self, name, node=1):
        """The bytes of a file that a node's TFTP hands out; None where it has no such file."""
        return self.state.published[self.node(node)["name"]].get(name)

    def handed_out(self, name, node=1):
        """What a node's servers hand out under a name (state.HandedOut): the bytes of a file, the path of a load, or None."""
        load = self.load_path(name)
        if load is not None:
            return load
        state = self.state
        self.node(node, state.data)
        return state.handed_out(node).get(name)

    def certificate(self, kind, node=None):
        """The DER of one of the cluster's certificates: kind as in regenerate(), or "callmanager-ec", "token-1"."""
        return self.identity(kind, node).der

    def identity(self, kind, node=None):
        """One of the cluster's Identities, by kind (and node, default the publisher). LabError where it has none."""
        state = self.state
        name = kind if kind in state.identities else kinds.identity_name(kind, node or 1)
        if name not in state.identities:
            raise LabError(f"this cluster has no {kind} certificate")
        return state.identities[name]

    def node(self, number, data=None):
        """The entry of node `number` (1 is the publisher). LabError when there is no such node."""
        nodes = (data or self.data)["nodes"]
        if not isinstance(number, int) or not 1 <= number <= len(nodes):
            raise LabError(f"node {number!r} does not exist; this cluster has nodes 1 to {len(nodes)}")
        return nodes[number - 1]

    @contextlib.contextmanager
    def change(self):
        """A draft of the state to change inside the with block; it is published and committed when the block ends well."""
        with self.whole_change() as old:
            draft = (old or self.store.current()).draft()  # current() says where there is no cluster
            yield draft
            self.publish_and_commit(draft)

    @contextlib.contextmanager
    def whole_change(self):
        """Hold the folder for a change, and give the State before it, None where there is no cluster yet."""
        if self._draft is not None:
            yield self._draft
            return
        with self.store.lock():
            yield self.store.current() if self.store.exists() else None

    @contextlib.contextmanager
    def proposal(self):
        """Steps inside the with block change a draft only: a Proposal, whose `state` is the result; accept() commits it."""
        proposed = Proposal(self.store.current())
        self._draft = proposed.base.draft()
        try:
            yield proposed
            proposed.state = self._draft
        finally:
            self._draft = None

    def accept(self, proposed):
        """Commit a Proposal. LabError where the cluster has changed since."""
        with self.store.lock():
            if self.store.current().number != proposed.base.number:
                raise LabError("another process changed the cluster meanwhile; nothing was done")
            return self.store.commit(proposed.state)

    def set_ports(self, ports):
        """Record the ports that serve() uses, {node number: {service: port}}; configuration files name them."""
        with self.change() as draft:
            for number, chosen in ports.items():
                self.node(number, draft.data)["ports"].update(chosen)

    def vouches_for(self, state=None):
        """TVS's database: {certificate DER: set of roles} of all current certificates, and of imported ones.

        The old certificate leaves the database when a new one is made, as a cluster's certificate monitor removes it.
        """
        state = state or self.state
        database = {}
        signs_files = kinds.tftp_role(state.data)
        roles = {
            "callmanager": (signs_files,) if kinds.is_open(state.data) else (files.SAST, signs_files),
            "callmanager-ec": (files.TFTP,),
            "tftp": (files.TFTP,),
            "tomcat": (files.APP_SERVER,),
            "capf": (files.CAPF,),
        }
        roles |= dict.fromkeys(("itlrecovery", "token-1", "token-2", "sast-1", "sast-2"), (files.SAST,))
        own = {each: roles[each] for each in kinds.cluster_kinds(state.data)}
        for number in range(1, len(state.data["nodes"]) + 1):
            own |= {f"{each}-{number}": roles[each] for each in kinds.node_kinds(state.data) if each != "tvs"}
        for name, given in [*own.items(), *state.data["trusted"].items()]:
            database.setdefault(state.identities[name].der, set()).update(given)
        return database

    def forecast(self):
        """What phones will make of the cluster when they restart now; see forecast.forecast()."""
        return forecast.forecast(self)

    def phones_restarted(self):
        """Note that all phones have been restarted: forecasts then start from the lists that they took."""
        state = self.state
        database = self.vouches_for(state)
        self.holdings.restarted(state, lambda itl, ctl: forecast.boot(state, database, itl, ctl)[1:])

    def serve(self, address="127.0.0.1", **options):
        """Start the cluster's servers in threads; a context manager. See serving.Serving for the options."""
        from host_tools.lab.servers.serving import Serving  # a mere change of state does not need the servers' imports

        return Serving(self, address, **options)

    def publish_and_commit(self, draft):
        """Make a changed State the current one, inside whole_change(), after its files were brought up to date."""
        publish.build(draft)
        if self._draft is None:
            return self.store.commit(draft)
        self._draft = draft
        return draft

    def make_identities(self, state):
        """Give the draft `state` all keys and certificates of its kind of cluster, and a CTL where it is in mixed mode."""
        for number in range(1, len(state.data["nodes"]) + 1):
            for each in kinds.node_kinds(state.data):
                self._make(state, each, number)
        for each in kinds.cluster_kinds(state.data):
            self._make(state, each)
        if state.data["mixed"]:
            publish.build_ctl(state)

    def _make(self, state, kind, node=None, issuer=None):
        """Give the draft `state` a new key and certificate for `kind`."""
        cluster_name = state.data["name"]
        host = state.data["nodes"][(node or 1) - 1]["host"]
        key = self.key_maker.ec("P-384") if kind == "callmanager-ec" else self.key_maker.rsa(2048)
        common_name = {
            "callmanager": host,
            "tvs": host,
            "tomcat": host,
            "callmanager-ec": f"{host}-EC",
            "capf": f"CAPF-{cluster_name}",
            "itlrecovery": f"ITLRECOVERY_{cluster_name}-pub",
            "tftp": f"TFTP-{cluster_name}",
            "ca": f"{cluster_name}-Root-CA",
            "mic-authority": f"{cluster_name}-Manufacturing-CA",
        }.get(kind, f"{kind.upper()}-{cluster_name}" if kind.startswith("sast") else f"SAST-{kind}-{cluster_name}")
        alternatives = [host] if kind in kinds.ON_NODES else []
        identity = make_identity(
            common_name, key, issuer, authority=kind in ("capf", "ca", "mic-authority"), alternatives=alternatives
        )
        state.identities[kinds.identity_name(kind, node) if kind in kinds.ON_NODES else kind] = identity
        return identity


class Proposal:
    """The result of a step before it is committed: `base` is the State before, `state` the State after."""

    def __init__(self, base):
        self.base = base
        self.state: State | None = None


def fresh_data(name, kind, nodes):
    """The content of cluster.json for a new cluster of this kind with these entries of nodes."""
    return {
        "format": FORMAT,
        "name": name,
        "kind": kind,
        "open": None,
        "mixed": kinds.KINDS[kind].mixed,
        "digest": "sha512",
        "itl_key": None,
        "itl_reset": None,
        "ctl_key": None,
        "pre8": False,
        "autoregistration": False,
        "centralized_tftp": None,
        "capf_servers": 1,
        "last_itl": {},
        "additional": [],
        "trusted": {},
        "visitors": {},
        "restarts": "automatic",
        "loaded": {},
        "ctl_client": None,
        "old_release": {"build": DEFAULT_BUILD, "engineering": False},
        "inactive": None,
        "migrating": False,
        "saved": nothing_saved(),
        "directory": dict(configuration.BUILT_IN),
        "secure_urls": "https",
        "phones": {},
        "nodes": nodes,
    }


def fresh_node(cluster_name, number, address):
    """The entry of a node in cluster.json; number 1 is the publisher."""
    name = f"{cluster_name}-pub" if number == 1 else f"{cluster_name}-sub{number - 1}"
    return {
        "name": name,
        "host": f"{name}.{cluster_name.lower()}.example",
        "address": address,
        "ports": {},
        "stopped": [],
        "rollback": False,
        "rollback_active": False,
    }
