# SPDX-License-Identifier: MIT
"""A lab cluster as an object: make it, read it, change it, serve it.

    cluster = Cluster.create(path, nodes=2)
    cluster.add_phone("00270DC01C92")
    with cluster.serve() as serving:
        serving.tftp_port(1), serving.tvs_port(2), serving.events
        cluster.regenerate("tftp", node=1)      # the running servers hand out the new state at once

Nodes are numbered from 1, the publisher. Every change is one new generation (state.py), so it happens or it does not.
"""

import contextlib
import re
from pathlib import Path

from host_tools.lab.errors import LabError
from host_tools.lab.model import forecast
from host_tools.lab.model.holdings import Holdings
from host_tools.lab.model.keys import KeyMaker, make_identity
from host_tools.lab.model.loads import Loads
from host_tools.lab.model.phones import Phones
from host_tools.lab.model.procedures import Procedures, check_address
from host_tools.lab.model.state import FORMAT, State, Store
from host_tools.lab.model.transfer import Transfers
from host_tools.lab.writers import files, publish

NODE_KINDS = ("callmanager", "callmanager-ec", "tvs", "tomcat")
SERVICES = ("tftp", "tvs", "application", "http", "https", "capf")  # https: configuration files, as on port 6971
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?")


class Cluster(Phones, Loads, Procedures, Transfers):
    """The cluster in the folder `path`. Objects are cheap and hold no state but a cache of the current generation."""

    def __init__(self, path, key_maker=None):
        self.path = Path(path)
        self.store = Store(self.path)
        self.holdings = Holdings(self.path)
        self.key_maker = key_maker or KeyMaker()

    @classmethod
    def create(
        cls,
        path,
        nodes=1,
        mixed=False,
        signer="callmanager",
        name="lab",
        address="127.0.0.1",
        digest="sha512",
        key_maker=None,
    ):
        """Make a new cluster in `path` with fresh keys: publisher and `nodes - 1` subscribers.

        `signer` is one of publish.SIGNERS, `digest` one of files.DIGESTS, `address` what phones are told to connect
        to. LabError when the folder already holds a cluster or an argument is out of range.
        """
        cluster = cls(path, key_maker)
        if signer not in publish.SIGNERS:
            raise LabError(f"signer {signer!r} is unknown; these are: {', '.join(publish.SIGNERS)}")
        if digest not in files.DIGESTS:
            raise LabError(f"digest {digest!r} is unknown; these are: {', '.join(files.DIGESTS)}")
        if not 1 <= nodes <= 8:
            raise LabError(f"a lab cluster has 1 to 8 nodes, not {nodes}")
        if not _NAME.fullmatch(name):
            raise LabError(f"{name!r} is no cluster name: letters, digits and hyphens, at most 32")
        check_address(address)
        with cluster.store.lock():
            if cluster.store.exists():
                raise LabError(f"{path} already holds a lab cluster")
            data = {
                "format": FORMAT,
                "name": name,
                "mixed": mixed,
                "signer": signer,
                "digest": digest,
                "itl_key": None,
                "itl_reset": None,
                "ctl_key": None,
                "rollback": False,
                "pre8": False,
                "autoregistration": False,
                "centralized_tftp": None,
                "additional": [],
                "trusted": {},
                "phones": {},
                "nodes": [_node(name, number, address) for number in range(1, nodes + 1)],
            }
            state = State(data, {}, {}, {})
            for number in range(1, nodes + 1):
                for kind in NODE_KINDS:
                    cluster._make(state, kind, number)
            kinds = ["capf", "itlrecovery"] + (["token-1", "token-2"] if signer == "etoken" else [])
            for kind in kinds:
                cluster._make(state, kind)
            if mixed:
                publish.build_ctl(state)
            cluster.holdings.begin(cluster._publish_and_commit(state))
        return cluster

    @property
    def state(self):
        """The current State; treat it as read-only."""
        return self.store.current()

    @property
    def data(self):
        """What the cluster is, as the JSON object of its current generation; treat it as read-only."""
        return self.state.data

    def published(self, name, node=1):
        """The bytes of a file that a node's TFTP hands out; None where it has no such file."""
        return self.state.published[self.node(node)["name"]].get(name)

    def published_path(self, name, node=1):
        """The path of a published file, for servers; None where there is none.

        With a centralized TFTP, what this cluster does not have comes from the other cluster's publisher.
        """
        load = self.load_path(name)
        if load is not None:
            return load
        state = self.state
        folder = self.node(node, state.data)["name"]
        if name in state.published[folder]:
            return state.folder / "published" / folder / name
        other = state.data["centralized_tftp"]
        if other is None:
            return None
        state = Store(other).current()
        folder = state.data["nodes"][0]["name"]
        return state.folder / "published" / folder / name if name in state.published[folder] else None

    def certificate(self, kind, node=None):
        """The DER of one of the cluster's certificates: kind as in regenerate(), or "callmanager-ec", "token-1"."""
        return self.identity(kind, node).der

    def identity(self, kind, node=None):
        """One of the cluster's Identities, by kind (and node, default the publisher)."""
        return self.state.identities[_identity_name(kind, node or 1)]

    def node(self, number, data=None):
        """The entry of node `number` (1 is the publisher). LabError when there is no such node."""
        nodes = (data or self.data)["nodes"]
        if not isinstance(number, int) or not 1 <= number <= len(nodes):
            raise LabError(f"node {number!r} does not exist; this cluster has nodes 1 to {len(nodes)}")
        return nodes[number - 1]

    @contextlib.contextmanager
    def change(self):
        """A draft of the state to change inside the with block; it is published and committed when that ends well."""
        with self.store.lock():
            draft = self.store.current().draft()
            yield draft
            self._publish_and_commit(draft)

    def set_ports(self, ports):
        """Record the ports that serve() uses, {node number: {service: port}}; configuration files name them."""
        with self.change() as draft:
            for number, chosen in ports.items():
                self.node(number, draft.data)["ports"].update(chosen)

    def vouches_for(self, state=None):
        """TVS's database: {certificate DER: set of roles} of all current certificates, and of imported ones.

        A certificate that was regenerated is gone at once, as a cluster's certificate monitor sees to.
        """
        state = state or self.state
        database = {}

        def add(identity, *roles):
            database.setdefault(identity.der, set()).update(roles)

        for number in range(1, len(state.data["nodes"]) + 1):
            add(state.identities[f"callmanager-{number}"], files.SAST, publish.tftp_role(state.data))
            add(state.identities[f"callmanager-ec-{number}"], files.TFTP)
            add(state.identities[f"tomcat-{number}"], files.APP_SERVER)
        add(state.identities["itlrecovery"], files.SAST)
        add(state.identities["capf"], files.CAPF)
        for name in ("token-1", "token-2"):
            if name in state.identities:
                add(state.identities[name], files.SAST)
        for name, roles in state.data["trusted"].items():
            add(state.identities[name], *roles)
        return database

    def forecast(self):
        """What phones will make of the cluster when they restart now; see forecast.forecast()."""
        return forecast.forecast(self)

    def phones_restarted(self):
        """Say that all phones have been restarted: forecasts start from what they hold then."""
        state = self.state
        database = self.vouches_for(state)
        self.holdings.restarted(state, lambda itl, ctl: forecast.boot(state, database, itl, ctl)[1:])

    def serve(self, address="127.0.0.1", **options):
        """Start the cluster's servers in threads; a context manager. See serving.Serving for the options."""
        from host_tools.lab.servers.serving import Serving  # the servers import what a mere change of state never needs

        return Serving(self, address, **options)

    def _publish_and_commit(self, draft):
        publish.build(draft)
        return self.store.commit(draft)

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
            "ca": f"{cluster_name}-Root-CA",
            "mic-authority": f"{cluster_name}-Manufacturing-CA",
        }.get(kind, f"SAST-{kind}-{cluster_name}")
        alternatives = [host] if kind in NODE_KINDS else []
        identity = make_identity(
            common_name, key, issuer, authority=kind in ("capf", "ca", "mic-authority"), alternatives=alternatives
        )
        state.identities[_identity_name(kind, node)] = identity
        return identity


def _identity_name(kind, node):
    kind = "callmanager" if kind == "tftp" else kind
    return f"{kind}-{node}" if kind in NODE_KINDS else kind


def _node(cluster_name, number, address):
    name = f"{cluster_name}-pub" if number == 1 else f"{cluster_name}-sub{number - 1}"
    return {
        "name": name,
        "host": f"{name}.{cluster_name.lower()}.example",
        "address": address,
        "ports": {},
        "stopped": [],
    }
