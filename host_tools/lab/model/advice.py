# SPDX-License-Identifier: MIT
"""What an administrator should know of a cluster: what waits, what is missing, and which phones a step would lock out."""

import hashlib

from host_tools.lab.model import forecast
from host_tools.lab.model.certificates import after_restarts, missing_in_ctl, pending
from host_tools.lab.writers import configuration, kinds


def warnings(state):
    """Sentences about the State, the most urgent first."""
    data = state.data
    found = []
    if data["migrating"]:
        found.append(
            "The publisher migrates call records: no restart, no switch of versions, no backup before it ends."
        )
    if data["ctl_client"]:
        found.append(data["ctl_client"])
    for item in pending(state):
        found.append(
            f"On node {item['node']}, {item['service']} was not restarted since {' and '.join(item['waiting'])} changed; "
            f"it goes on with the old: `service restart {item['service']} --node {item['node']}`."
        )
    missing = missing_in_ctl(state) if data["mixed"] else []
    if missing:
        found.append(f"The CTL does not have {', '.join(missing)} yet: `ctl update`.")
    return found + _rollback(data) + _saved(state)


def _rollback(data):
    nodes = [number for number, node in enumerate(data["nodes"], 1) if node["rollback"]]
    found = []
    if nodes and len(nodes) < len(data["nodes"]):
        others = [number for number in range(1, len(data["nodes"]) + 1) if number not in nodes]
        found.append(
            f"The parameter of the rollback is True on node {_list(nodes)} and False on node {_list(others)}: phones that "
            f"ask the latter get a full ITL."
        )
    if nodes and not data["pre8"]:
        found.append("While the rollback is prepared, HTTPS services of phones do not work; plain calls do.")
    if data["pre8"]:
        for which, url in sorted(data["directory"].items()):
            if url == configuration.BUILT_IN[which]:
                plain = configuration.plain_directory(data["nodes"][0], which)
                found.append(
                    f"The {which} directory is still the phones' built-in application, which needs HTTPS: "
                    f"`set directory {which} {plain}`."
                )
    return found


def _saved(state):
    saved = state.data["saved"]
    found = []
    if saved["backup"] is None:
        found.append("There is no backup: `backup FILE`.")
    elif saved["backup"] != "current":
        found.append(f"The last backup is stale, it was {saved['backup']}: `backup FILE`.")
    if kinds.is_open(state.data):
        return found
    recovery = hashlib.sha256(state.identities["itlrecovery"].der).hexdigest()
    if saved["recovery"] is None:
        found.append("The ITLRecovery key was never exported: `itl export-recovery FILE`.")
    elif saved["recovery"] != recovery:
        found.append("The exported ITLRecovery key is that of an older certificate: `itl export-recovery FILE`.")
    return found


def lockouts(cluster, before, after):
    """Forecast items of what phones take in State `before` and would refuse in State `after`.

    Both states are compared as they are, and again as they are after a restart of all services.
    """
    found = []
    for view in (lambda state: state, after_restarts):
        now = forecast.forecast(cluster, view(before))
        refused = {_key(item) for item in now if item["outcome"] == "refused"}
        for item in forecast.forecast(cluster, view(after)):
            if item["outcome"] == "refused" and _key(item) not in refused and item not in found:
                found.append(item)
    return found


def _key(item):
    topic = item["kind"] if item["kind"] in ("ctl", "itl") else "configuration"
    return tuple(item["phones"]), item["node"], topic


def _list(numbers):
    return " and ".join(map(str, numbers))
