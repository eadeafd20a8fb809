# SPDX-License-Identifier: MIT
"""The steps of a plan that concern clusters, on paper: each calls the lab's own step, or does the same without keys."""

import hashlib
import tempfile
import typing

from host_tools.lab.errors import LabError
from host_tools.lab.model.bulk import TYPES, consolidate
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.writers import configuration, kinds
from host_tools.plan import fetched
from host_tools.plan.errors import PlanError

_PASSWORD = ""  # the files have only certificates, so nothing in them is secret


class Steps(Cluster):
    """apply() of a PaperCluster, which inherits from this class and describes these attributes."""

    paper: typing.Any
    model: typing.Any
    mac: str
    key: str
    saved: typing.Any
    exported: typing.Any
    named_tvs: typing.Callable

    def apply(self, step, others):
        """Carry out a Step that concerns clusters. LabError where the cluster cannot do it. others: {name: PaperCluster}."""
        other = step.named_cluster("other")
        actions = {
            "regenerate": lambda: self.regenerate(step["kind"], step.node, bool(step["ca"])),
            "restart": lambda: self.restart(step["service"], step.node),
            "restarts": lambda: self.set_restarts(step["how"]),
            "itl-reset": lambda: self._reset(step["key"]),
            "itl-sign": lambda: self.itl_sign(step["key"]),
            "export-key": self._export_key,
            "ctl-sign": lambda: self.ctl_sign(step["key"]),
            "ctl-update": self.ctl_update,
            "ctl-delete": self.ctl_delete,
            "rollback": lambda: self.set_rollback(step["state"] == "on", step.node),
            "mode": lambda: self.set_cluster_mode(step["mode"]),
            "import": lambda: self._import(others[other], step["type"]),
            "log-in": lambda: self._log_in(others[other]),
            "log-out": lambda: self.emcc_logout(self.mac),
            "central-tftp": lambda: self._central_tftp(None if step["state"] else others[other]),
            "pre8": lambda: self.set_pre8(step["state"] == "on"),
            "upgrade": self.upgrade,
            "finish": self.finish_upgrade,
            "switch": self.switch_version,
            "backup": self._back_up,
            "restore": self._restore,
            "reinstall": self.reinstall,
            "service": lambda: (self.stop if step["do"] == "stop" else self.start)(step["service"], step.node or 1),
            "autoregistration": lambda: self.set_autoregistration(step["state"] == "on"),
            "urls": lambda: self.set_secure_urls(step["how"]),
            "directories": lambda: self._directories(step["how"]),
            "add": lambda: self.add_certificates(int(step["count"])),
            "hand-out": lambda: self._hand_out(step["folder"]),
        }
        actions[step.word]()

    def _import(self, other, kind):
        """Bulk certificates: exported by the other cluster, consolidated, imported here."""
        types = [kind] if kind else list(TYPES)
        with tempfile.TemporaryDirectory(prefix="phonetrust-plan-") as folder:
            other.bulk_export(folder, _PASSWORD, types)
            consolidate(folder, _PASSWORD)
            self.bulk_import(folder, _PASSWORD, types)

    def _log_in(self, other):
        """As emcc_login(): users of the other cluster log in at the phones of this cluster."""
        kinds.needs_vendor(self.data, "extension mobility across clusters")
        for one, two in ((self, other), (other, self)):
            for kind in ("tomcat", "callmanager"):
                if two.certificate(kind) not in one.vouches_for():
                    raise LabError(
                        f"cluster {one.data['name']} does not have the {kind} certificate of cluster "
                        f"{two.data['name']}: import its certificates first"
                    )
        other.add_phone(self.mac)
        with other.change() as draft:
            draft.data["phones"][self.mac]["tvs"] = [list(server) for server in self.named_tvs()]
        with self.change() as draft:
            draft.data["visitors"][self.mac] = other.key

    def _central_tftp(self, other):
        with self.change() as draft:
            draft.data["centralized_tftp"] = None if other is None else other.key

    def _directories(self, how):
        for which, built_in in configuration.BUILT_IN.items():
            self.set_directory(which, self.directory_url(which) if how == "plain" else built_in)

    def _export_key(self):
        kinds.needs_vendor(self.data, "ITLRecovery key")
        self.exported = self.identity("itlrecovery")

    def _reset(self, key):
        if key.lower() == "localkey":
            self.itl_reset("localkey")
            return
        exported = self.exported or self._exported_before()
        if exported is None:
            raise LabError(
                "no ITLRecovery key of this cluster was exported; `export itl key` does that, before it is lost"
            )
        self.itl_reset("remotekey", exported)

    def _exported_before(self):
        """The Identity whose key was exported before the plan, where its certificate is still known."""
        wanted = self.data["saved"]["recovery"]
        known = self.state.identities.values()
        return next((each for each in known if wanted and hashlib.sha256(each.der).hexdigest() == wanted), None)

    def _back_up(self):
        self.refuse_while_migrating(self.state, "back up")
        with self.change() as draft:
            draft.data["saved"]["backup"] = "current"
        self.saved = self._draft

    def _restore(self):
        if self.saved is None:
            raise LabError("nothing was backed up before this step")
        draft = self.saved.draft()
        draft.data["loaded"] = {}  # a restored cluster has been started anew
        for node in draft.data["nodes"]:
            node["rollback_active"] = node["rollback"]
        self.publish_and_commit(draft)

    def _hand_out(self, folder):
        """Hand out the prepared files of another folder from now on."""
        if self.model is None:
            raise LabError("a lab cluster makes its files itself; change it with the other steps")
        try:
            self.model = fetched.Model(self.path.parent / folder, self.paper)
        except (OSError, ValueError, PlanError) as error:
            raise LabError(f"the files of {folder} cannot be handed out: {error}") from None
        state = self.model.state
        for content in (file for node in state.published.values() for file in node.values()):
            self.paper.signatures.learn(content)
        for mine, prepared in zip(self.data["nodes"], state.data["nodes"], strict=False):
            prepared["stopped"] = mine["stopped"]
        self._draft = state
        if self.mac not in state.data["phones"]:
            self.add_phone(self.mac)
