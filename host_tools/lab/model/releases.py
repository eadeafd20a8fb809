# SPDX-License-Identifier: MIT
"""Releases: a cluster from before 8.0, upgrades, the phase after an upgrade, and the way back to the inactive version.

From 7.x in mixed mode, some releases need the CTL client to be run once more after an upgrade and after the way back;
ctl_client_releases.json has them [documented]. Here their upgrade makes the CallManager certificates anew, so that the
CTL lacks them [inferred: the guide does not say why the CTL must be made again].
"""

import json
import re
from pathlib import Path

from host_tools.lab.errors import LabError
from host_tools.lab.model.part import Part
from host_tools.lab.writers import files, kinds, publish

CTL_CLIENT_RELEASES = Path(__file__).with_name("ctl_client_releases.json")
DEFAULT_BUILD = "007.001(005.10000.012)"  # of a release before 8.0 where nothing else is said
TEN_MINUTES = "Phones restart by themselves within ten minutes; `phones-restarted` says that they have."
CTL_CLIENT = "Run the CTL client once more (`ctl update`): the other release is"
_BUILD = re.compile(r"(\d{3})\.(\d{3})\((\d{3})\.(\d{5})\.(\d{3})\)")


class Releases(Part):
    """The releases of a Cluster; the class Cluster inherits from this one."""

    def set_pre8(self, enabled, build=DEFAULT_BUILD, engineering=False):
        """Be a cluster from before Security by Default (no ITL, no TVS, unsigned configuration), or end that.

        `build` is the release's number, `engineering` whether it is an engineering special.
        """
        check_build(build)
        with self.change() as draft:
            kinds.needs_vendor(draft.data, "releases")
            draft.data["pre8"] = bool(enabled)
            draft.data["old_release"] = {"build": build, "engineering": bool(engineering)}

    def upgrade(self):
        """The next release: from before 8.0 to Security by Default with SHA-1, then SHA-512 and EC, then ITLRecovery.

        Returns sentences: which release the cluster has now, and what its administrator does next. LabError where no newer
        release exists.
        """
        with self.change() as draft:
            data = draft.data
            kinds.needs_vendor(data, "releases")
            self.refuse_while_migrating(draft, "upgrade")
            if data["pre8"]:
                self._keep_inactive(draft)
                data.update(pre8=False, digest="sha1", migrating=True)
                notes = ["The cluster has Security by Default, with SHA-1.", TEN_MINUTES]
                notes += self._needs_client(draft, renew=True)
                notes.append("Call records are migrated now; `upgrade --finish` says that this is over.")
            elif data["digest"] != "sha512":
                data["digest"] = "sha512"
                notes = ["The cluster signs with SHA-512 and has EC certificates in its ITL."]
                if files.CTL_NAME in draft.published[data["nodes"][0]["name"]]:
                    publish.build_ctl(draft)
            elif data["kind"] == "classic":
                data["kind"] = "modern"
                notes = ["The cluster's lists are signed by ITLRecovery, and all nodes have the same ITL."]
            else:
                raise LabError("the cluster is at the newest release that the lab knows")
            if data["saved"]["backup"] == "current":
                data["saved"]["backup"] = "made before the upgrade"
        return notes

    def finish_upgrade(self):
        """Note that the publisher has migrated the call records."""
        with self.change() as draft:
            if not draft.data["migrating"]:
                raise LabError("no call records are being migrated")
            draft.data["migrating"] = False

    def switch_version(self):
        """Switch to the inactive version, as it was before the upgrade, or back from there. Returns sentences."""
        with self.change() as draft:
            self.refuse_while_migrating(draft, "switch versions")
            inactive = draft.data["inactive"]
            if inactive is None:
                raise LabError("there is no inactive version; `upgrade` of a cluster before 8.0 leaves one")
            stored = {name: draft.identities.pop(f"inactive-{name}") for name in inactive["certificates"]}
            self._keep_inactive(draft, stored)
            draft.identities.update(stored)
            draft.data.update(pre8=inactive["pre8"], digest=inactive["digest"], kind=inactive["kind"])
            now = "a release before 8.0" if inactive["pre8"] else "the release with Security by Default"
            notes = [f"The cluster runs {now}.", TEN_MINUTES, *self._needs_client(draft)]
        return notes

    def refuse_while_migrating(self, draft, what):
        """LabError while the publisher migrates call records after an upgrade: restart, switch and backup must wait."""
        if draft.data["migrating"]:
            raise LabError(
                f"cannot {what}: the publisher migrates call records after the upgrade, and a restart, a switch of "
                "versions or a backup would break that; `upgrade --finish` says that it is over"
            )

    def _keep_inactive(self, draft, certificates=()):
        """Remember the active version, with today's form of `certificates`, as the inactive one."""
        data = draft.data
        for name in certificates:
            draft.identities[f"inactive-{name}"] = draft.identities[name]
        data["inactive"] = {
            "pre8": data["pre8"],
            "digest": data["digest"],
            "kind": data["kind"],
            "certificates": sorted(certificates),
        }

    def _needs_client(self, draft, renew=False):
        """In mixed mode, whether the CTL client must be run once more after a change of release; sentences.

        `renew`: the upgrade makes the CallManager certificates anew; the inactive version keeps the old ones.
        """
        data = draft.data
        said = needs_ctl_client(data["old_release"]["build"], data["old_release"]["engineering"])
        if said is None or files.CTL_NAME not in draft.published[data["nodes"][0]["name"]]:
            return []
        if renew:
            for number in range(1, len(data["nodes"]) + 1):
                name = f"callmanager-{number}"
                draft.identities[f"inactive-{name}"] = draft.identities[name]
                data["inactive"]["certificates"].append(name)
                self._make(draft, "callmanager", number)
        data["ctl_client"] = f"{CTL_CLIENT} {said}."
        return [data["ctl_client"]]


def needs_ctl_client(build, engineering, table=CTL_CLIENT_RELEASES):
    """Which release of the table this build is, as text, or None where the CTL client need not be run again."""
    for entry in json.loads(table.read_text()):
        before = entry["engineering" if engineering else "regular"]
        if build.startswith(entry["builds"]) and (before == "all" or _number(build) < _number(before)):
            return f"{entry['release']}, {'engineering special ' if engineering else ''}{build}"
    return None


def check_build(build):
    """LabError unless this is the number of a release as administrators see it."""
    if not _BUILD.fullmatch(build):
        raise LabError(f"{build!r} is no build, such as {DEFAULT_BUILD}")


def _number(build):
    found = _BUILD.fullmatch(build)
    if found is None:
        raise LabError(f"{build!r} is no build, such as {DEFAULT_BUILD}")
    return tuple(map(int, found.groups()))
