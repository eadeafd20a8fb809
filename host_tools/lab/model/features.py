# SPDX-License-Identifier: MIT
"""The feature list: which features each phone of a cluster has, by its model and by what it asked the servers for."""

from host_tools.lab.writers.models import FEATURES, supports

# What a phone asked for (holdings.py) -> the features that this shows.
SHOWN_BY = {
    "list": ("security-by-default",),
    "signed": ("security-by-default",),
    "encrypted": ("encrypted-configuration",),
    "https": ("https", "ec"),
    "tvs": ("tvs",),
    "load": ("loads",),
}


def report(cluster):
    """For each phone that the cluster knows or has seen, by MAC: its device name, model and features.

    A feature is {"supported": True, False or None, "by": "seen", "model" or None}: what was seen counts more than the
    model's line in the table. A phone that asks for its configuration but never for a list or a signed name has no Security
    by Default.
    """
    data, seen = cluster.data, cluster.holdings.seen()
    found = {}
    for mac in sorted({*data["phones"], *seen}):
        asked = set(seen.get(mac, {}).get("asked", ()))
        model = seen.get(mac, {}).get("model") or data["phones"].get(mac, {}).get("model")
        shown = {feature for what in asked for feature in SHOWN_BY.get(what, ())}
        features = {}
        for feature in FEATURES:
            by_model = supports(model, feature)
            if feature in shown:
                features[feature] = {"supported": True, "by": "seen"}
            elif feature == "security-by-default" and "plain" in asked:
                features[feature] = {"supported": False, "by": "seen"}
            else:
                features[feature] = {"supported": by_model, "by": None if by_model is None else "model"}
        found[mac] = {"device": f"SEP{mac}", "model": model, "features": features}
    return found
