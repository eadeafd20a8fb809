# SPDX-License-Identifier: MIT
"""The administrator's procedures, each one change of state. A wrong order is allowed: that is what a lab is for."""

from host_tools.lab.errors import LabError

REGENERATED = {"tftp": "callmanager", "callmanager": "callmanager", "tvs": "tvs", "tomcat": "tomcat",
               "capf": "capf", "itlrecovery": "itlrecovery"}
ON_NODES = ("callmanager", "tvs", "tomcat")


class Procedures:
    """What an administrator does with a Cluster; the class Cluster inherits from this one."""

    def regenerate(self, kind, node=None, ca=False):
        """Make a new key and certificate: kind "tftp", "tvs", "tomcat", "capf" or "itlrecovery".

        The first three are those of `node`, default the publisher; the others are the publisher's alone.
        ITLs are rebuilt and signed, TVS knows the new certificate and no longer the old one; the CTL stays as it is
        until ctl_update(). With `ca` a third-party CA of the lab issues the certificate. "tftp" is the CallManager
        certificate; the node's EC one goes with it.
        """
        if kind not in REGENERATED:
            raise LabError(f"{kind!r} cannot be regenerated; these can: {', '.join(REGENERATED)}")
        kind = REGENERATED[kind]
        if kind not in ON_NODES and node not in (None, 1):
            raise LabError(f"the {kind} certificate is the publisher's alone; leave the node out")
        with self.change() as draft:
            number = (node or 1) if kind in ON_NODES else None
            if number is not None:
                self.node(number, draft.data)
            issuer = (draft.identities.get("ca") or self._make(draft, "ca")) if ca else None
            self._make(draft, kind, number, issuer)
            if kind == "callmanager":
                self._make(draft, "callmanager-ec", number, issuer)
            draft.data["itl_key"] = None
