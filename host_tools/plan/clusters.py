# SPDX-License-Identifier: MIT
"""Clusters on paper: a copy of a lab cluster that the steps of a plan change, or a folder of public files.

The folder on disk is only read. New keys are made once and used again in other orders of the same steps, each at most once in
one order; so a search makes few keys."""

import tempfile
from pathlib import Path

from host_tools.cli.tvs_store import StoreError, TvsStore, Unreachable
from host_tools.lab.errors import LabError
from host_tools.lab.model.bulk import consolidate
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.model.forecast import phone_on_paper, tvs_servers
from host_tools.lab.model.keys import KeyMaker
from host_tools.lab.writers import files as lab_files
from host_tools.plan.errors import PlanError
from host_tools.trial.phone import FileSource, TrialPhone, phone_settings

_STAND_IN = "000000000000"  # the phone whose configuration stands for all


class CountedKeys(KeyMaker):
    """Keys in a row; `position` says how many of them this order of steps has used."""

    def __init__(self, maker=None):
        self._maker = maker or KeyMaker()
        self._made = {}
        self.position = 0

    def rsa(self, bits=2048):
        """The next RSA key."""
        return self._next("rsa", bits, self._maker.rsa)

    def ec(self, curve="P-384"):
        """The next EC key."""
        return self._next("ec", curve, self._maker.ec)

    def _next(self, kind, size, make):
        place = (kind, size, self.position)
        self.position += 1
        if place not in self._made:
            self._made[place] = make(size)
        return self._made[place]


class PaperCluster(Cluster):
    """A copy of the lab cluster in a folder. Its configuration is that of one phone, which stands for all."""

    def __init__(self, path, keys):
        super().__init__(path, keys)
        self._draft = self.store.current().draft()
        phones = self._draft.data["phones"]
        for mac in sorted(phones)[1:]:
            del phones[mac]
        if not phones:
            self.add_phone(_STAND_IN)
        self.stand_in = "SEP" + next(iter(phones or self.data["phones"]))
        self.saved = None
        self._vouched = (None, None)

    def snapshot(self):
        """What use() brings back."""
        return self._draft, self.saved

    def use(self, snapshot):
        """Be what the cluster was at a snapshot()."""
        self._draft, self.saved = snapshot

    def database(self):
        """What its TVS vouches for now."""
        if self._vouched[0] is not self._draft:
            self._vouched = (self._draft, self.vouches_for(self._draft))
        return self._vouched[1]

    def published_list(self, kind):
        """The bytes of its ITL or CTL, or None."""
        return self.published({"itl": lab_files.ITL_NAME, "ctl": lab_files.CTL_NAME}[kind])

    def named_tvs(self):
        """The TVS servers of its configuration."""
        return tvs_servers(self.state)

    def phone(self, itl, ctl, kept, servers, others):
        """A TrialPhone that boots from this cluster. servers: numbers of the nodes it reaches, (): all."""
        reached = tuple(number for number in servers if number <= len(self.data["nodes"]))
        mac = next(iter(self.data["phones"]))
        own = [(other.state, other.database()) for other in others if isinstance(other, PaperCluster)]
        node = reached[0] if reached else 1
        return phone_on_paper(self.state, self.database(), itl, ctl, mac, node, kept, own, reached or None)

    def apply(self, step, others):
        """Carry out a Step that concerns clusters. LabError where the cluster cannot. others: {name: PaperCluster}."""
        actions = {
            "regenerate": lambda: self.regenerate(step["kind"], step.node, bool(step["ca"])),
            "restart": lambda: self.restart(step["service"], step.node),
            "restarts": lambda: self.set_restarts(step["how"]),
            "itl-reset": lambda: self.itl_reset("localkey"),
            "itl-sign": lambda: self.itl_sign(step["key"]),
            "ctl-sign": lambda: self.ctl_sign(step["key"]),
            "ctl-update": self.ctl_update,
            "ctl-delete": self.ctl_delete,
            "rollback": lambda: self.set_rollback(step["state"] == "on", step.node),
            "mode": lambda: self.set_cluster_mode(step["mode"]),
            "import": lambda: self._import(others[step["other"]]),
            "upgrade": self.upgrade,
            "finish": self.finish_upgrade,
            "switch": self.switch_version,
            "backup": self._back_up,
            "restore": self._restore,
            "reinstall": self.reinstall,
            "service": lambda: (self.stop if step["do"] == "stop" else self.start)(step["service"], step.node or 1),
            "autoregistration": lambda: self.set_autoregistration(step["state"] == "on"),
            "urls": lambda: self.set_secure_urls(step["how"]),
        }
        if step.word not in actions:
            raise LabError("a lab cluster makes its files itself; change it with the other steps")
        actions[step.word]()

    def _import(self, other):
        if not isinstance(other, PaperCluster):
            raise LabError("only certificates of a lab cluster can be imported")
        with tempfile.TemporaryDirectory(prefix="phonetrust-plan-") as folder:
            other.bulk_export(folder, "plan")
            consolidate(folder, "plan")
            self.bulk_import(folder, "plan")

    def _back_up(self):
        self.refuse_while_migrating(self.state, "back up")
        self.saved = self._draft

    def _restore(self):
        if self.saved is None:
            raise LabError("nothing was backed up before this step")
        self.publish_and_commit(self.saved.draft())


class PublicCluster:
    """A folder of the files that phones get, without keys: what `phonetrust fetch` brought. A folder `tvs` in it, with
    roles.json as of preflight --tvs-store, says what TVS vouches for; without it no TVS answers."""

    def __init__(self, path, crypto):
        self._crypto = crypto
        self.stand_in = "SEP" + _STAND_IN
        self._files, self._asker = self._read(Path(path))
        self._root = Path(path)

    def _read(self, path):
        files = {entry.name: entry.read_bytes() for entry in sorted(path.iterdir()) if entry.is_file()}
        if not any(name.endswith((".tlv", ".sgn")) for name in files):
            raise PlanError(f"{path}: neither a lab cluster nor a folder of files that phones get")
        try:
            asker = TvsStore(path / "tvs", self._crypto) if (path / "tvs").is_dir() else Unreachable()
        except StoreError as error:
            raise PlanError(str(error)) from None
        return files, asker

    def snapshot(self):
        """What use() brings back."""
        return self._files, self._asker

    def use(self, snapshot):
        """Be what the folder was at a snapshot()."""
        self._files, self._asker = snapshot

    def published_list(self, kind):
        """The bytes of its ITL or CTL, or None."""
        return self._files.get({"itl": lab_files.ITL_NAME, "ctl": lab_files.CTL_NAME}[kind])

    def named_tvs(self):
        """Nobody knows them from outside."""
        return []

    def phone(self, itl, ctl, kept, servers, others):
        """A TrialPhone that boots from this folder."""
        del kept, servers, others
        settings = phone_settings(_STAND_IN)
        return TrialPhone(settings, self._crypto, FileSource(self._files), self._asker, itl, ctl)

    def apply(self, step, others):
        """Hand out another folder, or stop TVS; everything else needs the cluster's keys. LabError says so."""
        if step.word == "hand-out":
            self._files, self._asker = self._read(self._root.parent / step["folder"])
        elif step.word == "service" and (step["do"], step["service"]) == ("stop", "tvs"):
            self._asker = Unreachable()
        else:
            raise LabError(
                f"{step.text!r} makes new lists, and this folder has no keys to sign them: prepare them, and say "
                "`hand out FOLDER`, or plan on a lab cluster"
            )


def open_cluster(path, keys, crypto):
    """A cluster on paper. PlanError where there is none."""
    if (Path(path) / "current").is_symlink():
        try:
            return PaperCluster(path, keys)
        except LabError as error:
            raise PlanError(str(error)) from None
    if not Path(path).is_dir():
        raise PlanError(f"{path}: there is no such folder")
    return PublicCluster(path, crypto)
