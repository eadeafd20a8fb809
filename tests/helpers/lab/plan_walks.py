# SPDX-License-Identifier: MIT
"""A plan compared with reality: with what lab clusters and phones of the host kind do, step by step.

A walk computes a plan for served clusters, carries its steps out for real, and checks that each phone that restarts decides what
the plan said, in the same words, and that the cluster refuses a step which the plan calls impossible."""

import contextlib
import re

from host_tools.lab.errors import LabError
from host_tools.lab.model.bulk import TYPES, consolidate
from host_tools.lab.model.transfer import read_recovery
from host_tools.plan.document import OF_PHONES, Plan, parse_step
from host_tools.plan.fleet import Lists
from host_tools.plan.groups import Fleet
from host_tools.plan.paper import World
from host_tools.plan.result import compute
from tests.helpers.lab.key_pool import PooledKeys
from tests.helpers.lab.phones import HostPhone

MACS = ("00270DC01C92", "00270DC01C93")
BATCHES = ("first", "second")
PASSPHRASE = "seven bananas"

_CERTIFICATES = ("regenerate tvs", "regenerate tftp", "regenerate tomcat", "regenerate capf")
_SAVED = ("back up", "restore", "stop tvs", "start tvs")
_CTL = ("cluster mode mixed", "cluster mode nonsecure", "ctl update", "ctl delete")
_LISTS = ("regenerate itlrecovery", "itl reset localkey", "export itl key", "itl reset remotekey", "reinstall")
_COMMON = (*_CERTIFICATES, *_SAVED, *_CTL, *_LISTS, "rollback on", "rollback off")
_BY_HAND = ("restarts by-hand", "restart tftp", "restart tvs", "restarts automatic")
#: kind of cluster -> how it is made; "B" is a second cluster
KINDS = {
    "modern": {},
    "classic": {"kind": "classic"},
    "tokens": {"kind": "tokens"},
    "tokenless": {"kind": "classic", "mixed": True},
    "nodes": {"kind": "classic", "nodes": 2},
    "shared": {"nodes": 2, "mixed": True},
    "open": {"kind": "open", "tvs": True, "sast": 2},
    "old": {"kind": "tokens", "old_release": "007.001(002.30016.001)"},
}
_NODES = ("regenerate tvs on node 2", "regenerate tftp on node 2", "stop tvs on node 2", "start tvs on node 2",
          "rollback on on node 1", "restart tftp on node 2", "move batch second to node 1",
          "move batch first to node 2")  # fmt: skip
STEPS = {
    "modern": (*_COMMON, *_BY_HAND, "itl sign callmanager", "itl sign itlrecovery", "add 30 certificates"),
    "classic": (*_COMMON, *_BY_HAND, "regenerate tftp by a third party", "upgrade", "release before 8.0 on", "erase batch first"),
    "tokens": (*_COMMON, "ctl sign token-2", "ctl sign token-1"),
    "tokenless": (*_COMMON, "ctl sign itlrecovery", "ctl sign callmanager", "erase all phones"),
    "nodes": (*_COMMON, *_BY_HAND, *_NODES, *_NODES),
    "shared": (*_COMMON, *_BY_HAND, *_NODES, "itl sign callmanager"),
    "open": ("regenerate sast-1", "regenerate sast-2", "itl sign sast-2", "itl sign sast-1", "regenerate callmanager",
             "stop tvs", "start tvs", "regenerate tvs", *_CTL, "upgrade"),
    "old": ("upgrade", "finish upgrade", "switch version", "ctl update", "rollback on", "rollback off", "regenerate tvs",
            "regenerate tftp", "back up", "restore", "upgrade"),
    "two": (*_CERTIFICATES, "import certificates of cluster B", "import certificates of cluster B of type TFTP",
            "import certificates of cluster own in cluster B", "regenerate tftp in cluster B", "regenerate tvs in cluster B",
            "move all phones to cluster B", "move batch first to cluster B", "move batch second to cluster own",
            "rollback on", "rollback off", "rollback on in cluster B", "stop tvs", "cluster mode mixed in cluster B",
            "users of cluster B log in", "users log out", "centralized tftp of cluster own in cluster B", "erase batch first"),
}  # fmt: skip
WALKS = (*KINDS, "two")


def random_steps(rng, kind, longest=4):
    """Texts of steps, with a restart of the phones behind most of them."""
    steps = []
    for _ in range(rng.randint(2, longest)):
        steps.append(rng.choice(STEPS[kind]))
        if rng.random() < 0.7:
            steps.append(rng.choice(("restart all phones", "restart all phones", "restart batch first")))
    return [*steps, "restart all phones"]


class Walk:
    """new_cluster: the fixture. folder: for files. options: how the plan's own cluster is made. other: how B is, None: there
    is none. phones: how many, of a batch each; the second phone asks the last node. fresh: whether they start without lists."""

    def __init__(self, new_cluster, folder, options, other=None, phones=2, fresh=False):
        self.folder = folder
        folder.mkdir()
        macs = MACS[:phones]
        self._stack = contextlib.ExitStack()
        self.clusters, self._serving, self._backups = {}, {}, {}
        for name, each in {"": options, "B": other}.items():
            if each is None:
                continue
            cluster = new_cluster(**{"name": name or "lab", **each})
            for mac in macs:
                cluster.add_phone(mac)
            self.clusters[name] = cluster
            self._serving[name] = self._stack.enter_context(cluster.serve())
        last = len(self.clusters[""].data["nodes"])
        self._at = [("", 1), ("", last)][:phones]
        self.phones = [self._stack.enter_context(contextlib.closing(HostPhone(mac))) for mac in macs]
        for number, phone in enumerate(self.phones):
            self._point(number)
            if not fresh:
                phone.boot()
        self._fresh = fresh

    def _point(self, number):
        name, node = self._at[number]
        self.phones[number].point_at([f"127.0.0.1:{self._serving[name].tftp_port(node)}"])

    def planned(self, texts):
        """The result of the plan."""
        nodes = len(self.clusters[""].data["nodes"])
        order = {1: "1 2" if nodes == 2 else "", 2: "2 1"}
        rows = ["device,batch,servers,itl,ctl"]
        for number, phone in enumerate(self.phones):
            stored = phone.stored() if not self._fresh else {}
            cells = []
            for kind in ("itl", "ctl"):
                if kind in stored:
                    (self.folder / f"{kind}-{number}.tlv").write_bytes(stored[kind])
                cells.append(f"{kind}-{number}.tlv" if kind in stored else "")
            rows.append(",".join([f"SEP{phone.mac}", BATCHES[number], order[self._at[number][1]], *cells]))
        (self.folder / "fleet.csv").write_text("\n".join(rows))
        others = {name: cluster.path for name, cluster in self.clusters.items() if name}
        world = World(self.clusters[""].path, others, PooledKeys())
        fleet = Fleet(self.folder / "fleet.csv", Lists(None, self.folder), world)
        return compute(Plan("walk", [parse_step(text) for text in texts], {}, self.folder), world, fleet, search=False)

    def go(self, texts):
        """Walk the steps of the plan. Returns [(step, batch, [(outcome, reason)])] of the boots, as plan and phones have them."""
        result, boots = self.planned(texts), []
        for said, text in zip(result["steps"][1:], texts, strict=True):
            step = parse_step(text)
            where = (texts, said["number"], text)
            if step.word not in OF_PHONES:
                try:
                    self._real(step)
                except LabError as error:
                    assert said["problem"], (where, str(error))
                else:
                    assert said["problem"] is None, (where, said["problem"])
                continue
            if said["problem"]:
                continue
            for number, phone in enumerate(self.phones):
                if step["batch"] not in (None, BATCHES[number]):
                    continue
                self._prepare(step, number)
                cell = said["groups"][number]
                expected = [self._words(each) for each in result["decisions"][cell["decisions"]]]
                found = self._boot(phone)
                assert cell["restarted"] and found == expected, (
                    f"{where}: {BATCHES[number]}:\nphone {found}\nplan  {expected}"
                )
                boots.append((text, BATCHES[number], [words[:2] for words in expected]))
        return boots

    def _boot(self, phone):
        """The decisions about lists and configurations of files that are there, in the plan's words."""
        found = []
        for each in phone.boot():
            about_file = each["kind"] in ("itl", "ctl") or ".cnf.xml" in each["kind"]
            if about_file and each["reason"] != "not-found":
                found.append(
                    self._words({key: str(value).replace(phone.device, "SEP<MAC>") for key, value in each.items()})
                )
        return found

    @staticmethod
    def _words(decision):
        text = re.sub(r" \(serial [0-9a-f]+\)", "", decision["text"])  # new certificates have other ones
        text = re.sub(r"\d+ bytes", "N bytes", text)  # a serial number may be a byte shorter
        return decision["outcome"], decision["reason"], decision["kind"], text

    def _prepare(self, step, number):
        if step.word == "move":
            self._at[number] = (step.named_cluster("to"), 1)
            for name, serving in self._serving.items() if step["alone"] else ():
                if name != step.named_cluster("to"):
                    serving.stop_tvs()
        elif step.word == "node":
            self._at[number] = (self._at[number][0], int(step["number"]))
        elif step.word == "erase":
            self.phones[number].erase()
        self._point(number)

    def _real(self, step):
        """The step on the real cluster. LabError as on paper."""
        cluster, serving = self.clusters[step.cluster], self._serving[step.cluster]
        other = self.clusters.get(step.named_cluster("other"))
        saved = self.folder / f"backup-{step.cluster}"
        key = self.folder / f"key-{step.cluster}"

        def service():
            if step["service"] == "tvs":
                (serving.stop_tvs if step["do"] == "stop" else serving.start_tvs)(step.node or 1)
            else:
                (cluster.stop if step["do"] == "stop" else cluster.start)(step["service"], step.node or 1)

        def restore():
            if not saved.exists():
                raise LabError("there is no backup")
            cluster.restore(saved, PASSPHRASE)

        def reset():
            if step["key"] == "localkey":
                return cluster.itl_reset("localkey")
            if not key.exists():
                raise LabError("there is no exported key")
            return cluster.itl_reset("remotekey", read_recovery(key, PASSPHRASE))

        def take_certificates():
            types = [step["type"]] if step["type"] else list(TYPES)
            sftp = self.folder / f"sftp-{len(list(self.folder.iterdir()))}"
            other.bulk_export(sftp, PASSPHRASE, types)
            consolidate(sftp, PASSPHRASE)
            cluster.bulk_import(sftp, PASSPHRASE, types)

        def log_in():
            for phone in self.phones:
                cluster.emcc_login(phone.mac, other.path)

        def log_out():
            for phone in self.phones:
                cluster.emcc_logout(phone.mac)

        actions = {
            "regenerate": lambda: cluster.regenerate(step["kind"], step.node, bool(step["ca"])),
            "restart": lambda: cluster.restart(step["service"], step.node),
            "restarts": lambda: cluster.set_restarts(step["how"]),
            "rollback": lambda: cluster.set_rollback(step["state"] == "on", step.node),
            "service": service,
            "mode": lambda: cluster.set_cluster_mode(step["mode"]),
            "ctl-update": cluster.ctl_update,
            "ctl-delete": cluster.ctl_delete,
            "ctl-sign": lambda: cluster.ctl_sign(step["key"]),
            "itl-sign": lambda: cluster.itl_sign(step["key"]),
            "itl-reset": reset,
            "export-key": lambda: cluster.export_recovery(key, PASSPHRASE),
            "backup": lambda: cluster.backup(saved, PASSPHRASE),
            "restore": restore,
            "reinstall": cluster.reinstall,
            "upgrade": cluster.upgrade,
            "finish": cluster.finish_upgrade,
            "switch": cluster.switch_version,
            "pre8": lambda: cluster.set_pre8(step["state"] == "on"),
            "import": take_certificates,
            "log-in": log_in,
            "log-out": log_out,
            "central-tftp": lambda: cluster.set_centralized_tftp(other and other.path),
            "autoregistration": lambda: cluster.set_autoregistration(step["state"] == "on"),
            "urls": lambda: cluster.set_secure_urls(step["how"]),
            "directories": lambda: [
                cluster.set_directory(which, cluster.directory_url(which)) for which in ("corporate", "personal")
            ],
            "add": lambda: cluster.add_certificates(int(step["count"])),
        }
        actions[step.word]()

    def close(self):
        """Stop the servers and remove the phones."""
        self._stack.close()
