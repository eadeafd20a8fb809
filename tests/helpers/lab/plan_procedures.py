# SPDX-License-Identifier: MIT
"""Each procedure of docs/procedures.md as a plan, by its title; and those that a plan cannot express, with the reason.

tests/scenarios/test_plan_procedures.py walks them (plan_walks.py)."""

ALL = "restart all phones"
CLASSIC = {"kind": "classic"}
MIXED = {"kind": "classic", "mixed": True}
BY_HAND = "restarts by-hand"
TO_B, BACK = "move all phones to cluster B", "move all phones to cluster own"
ALONE = f"{TO_B} without the old servers"
BULK, BULK_BACK = "import certificates of cluster B", "import certificates of cluster own in cluster B"
EXCHANGED = (BULK, BULK_BACK, "users of cluster B log in", ALL)
LOCKED = ("regenerate tvs", "regenerate tftp", ALL)
TVS_TFTP = ("regenerate tvs", ALL, "regenerate tftp", ALL)
OLD = {"kind": "tokens", "old_release": "007.001(002.30016.001)"}
LATER = {"kind": "tokens", "old_release": "007.001(003.21900.003)"}

#: title -> (the cluster, the steps, more for plan_walks.Walk)
PROCEDURES = {
    "CAPF certificate regenerated": ({}, ("regenerate capf", ALL), {}),
    "Tomcat certificate regenerated": ({}, ("regenerate tomcat", ALL), {}),
    "TVS certificate regenerated, phones restart": ({}, ("regenerate tvs", ALL), {}),
    "TFTP (CallManager) certificate regenerated, TVS untouched": (CLASSIC, ("regenerate tftp", ALL, ALL), {}),
    "TFTP (CallManager) certificate regenerated where ITLRecovery signs": (
        {"nodes": 2},
        ("stop tvs on node 1", "stop tvs on node 2", "regenerate tftp on node 1", "regenerate tftp on node 2", ALL,
         "move all phones to node 2"),
        {},
    ),
    "TVS and TFTP certificates regenerated together, phones not restarted in between": (
        CLASSIC, (*LOCKED, ALL, "erase all phones"), {}),
    "TVS certificate first, restart, then TFTP": (CLASSIC, TVS_TFTP, {}),
    "TFTP certificate regenerated while TVS is down": (
        CLASSIC, ("stop tvs", "regenerate tftp", ALL, "start tvs", ALL), {}),
    "CallManager and TVS certificates issued by a third-party CA": (
        CLASSIC, ("regenerate tvs by a third party", ALL, "regenerate tftp by a third party", ALL), {}),
    "TVS regenerated on one node and not on the other, then TFTP, without a restart": (
        {"kind": "classic", "nodes": 2},
        ("regenerate tvs on node 1", "regenerate tftp on node 1", "stop tvs on node 2", ALL, "start tvs on node 2", ALL), {}),
    "A phone that was switched off for the whole procedure, two generations of TVS and TFTP long": (
        CLASSIC, ("regenerate tvs", "regenerate tftp") * 2 + (ALL, "itl reset localkey", ALL), {}),
    "A phone that was switched off for two generations where ITLRecovery signs": (
        {}, ("regenerate tvs", "regenerate tftp") * 2 + (ALL,), {}),
    "Restart waves, and the next certificate regenerated before the last wave": (
        CLASSIC,
        ("regenerate tvs", "restart batch first", "regenerate tftp", "restart batch second", "restart batch first",
         "itl reset localkey", "restart batch first", "restart batch second"),
        {"phones": 2},
    ),
    "Restart waves, awaited": (
        CLASSIC,
        ("regenerate tvs", "restart batch first", "restart batch second", "regenerate tftp", "restart batch first",
         "restart batch second"),
        {"phones": 2},
    ),
    "`utils itl reset localkey`, after a lockout": (
        CLASSIC, (*LOCKED, "itl reset localkey", ALL, "regenerate capf", ALL), {}),
    "`utils itl reset remotekey`, after the cluster lost its ITLRecovery key": (
        CLASSIC,
        ("export itl key", "regenerate itlrecovery", *LOCKED, "itl reset localkey", ALL, "itl reset remotekey", ALL), {}),
    "ITLRecovery regenerated the documented way": (
        {}, ("itl sign callmanager", ALL, "regenerate itlrecovery", ALL, "itl sign itlrecovery", ALL), {}),
    "ITLRecovery regenerated without signing with the CallManager key first": (
        {}, ("stop tvs", "regenerate itlrecovery", ALL, "start tvs", ALL), {}),
    "TFTP key lost, cluster restored from a backup": (
        {}, ("back up", "reinstall", ALL, "restore", ALL, "regenerate capf", ALL), {}),
    "TFTP key lost, no backup, a subscriber survives": ({}, ("reinstall", ALL, "erase all phones"), {}),
    "A backup restored that is older than the phone's ITL": (
        CLASSIC, ("back up", "regenerate tftp", ALL, "restore", ALL), {}),
    "Prepared for rollback, then a release before 8.0": ({}, ("rollback on", ALL, "release before 8.0 on", ALL), {}),
    "Prepared for rollback on one node of two": (
        {"nodes": 2},
        ("rollback on on node 1", ALL, "move all phones to node 2", "release before 8.0 on", "move all phones to node 1"), {}),
    "Directories of a release before 8.0": (
        {}, ("rollback on", ALL, "release before 8.0 on", ALL, "directories plain", ALL), {}),
    "HTTPS services of a phone with an empty ITL": ({}, ("rollback on", ALL), {}),
    "A release before 8.0 without preparation": (
        {}, ("release before 8.0 on", ALL, "release before 8.0 off", "regenerate capf", ALL), {}),
    "Switched back, rollback set to False": ({}, ("rollback on", ALL, "rollback off", ALL), {}),
    "Switched back, with a CallManager certificate that was regenerated meanwhile": (
        CLASSIC, ("rollback on", ALL, "regenerate tftp", "rollback off", ALL), {}),
    "Prepared for rollback in mixed mode": (
        {"mixed": True}, ("rollback on", ALL, "ctl delete", "release before 8.0 on", ALL), {}),
    "Refresh upgrade from 7.x": (
        {"kind": "classic", "old_release": OLD["old_release"]},
        (ALL, "upgrade", ALL, "finish upgrade", "upgrade", ALL), {"fresh": True}),
    "Nothing prepared: the new cluster's signer is unknown to the phone (problem 1)": (
        {}, (TO_B, BACK, TO_B, "erase all phones"), {"other": {}}),
    "Nothing prepared: the old cluster's TVS cannot be reached (problem 2)": ({}, (ALONE,), {"other": {}}),
    "The old cluster's TVS does not have the new certificates (problem 3)": (
        {}, (BULK, "regenerate tftp in cluster B", TO_B, BULK, ALL), {"other": CLASSIC}),
    "Moved with rollback prepared first": ({}, ("rollback on", ALL, ALONE, ALL), {"other": {}}),
    "Moved with rollback prepared first, with a CTL on the phone": (
        {"mixed": True}, ("rollback on", ALL, TO_B, "erase all phones"), {"other": {}}),
    "Moved with bulk certificate export, old cluster online": ({}, (BULK, TO_B, ALL), {"other": {}}),
    "Moved with bulk certificates of the type TFTP only": (
        {}, (f"{BULK} of type TFTP", TO_B, f"{BULK} of type ITLRecovery", ALL), {"other": {}}),
    "Moved back to the old cluster": ({}, (BULK, TO_B, BACK, BULK_BACK, BACK), {"other": {}}),
    "Moved with rollback, and back": (
        {},
        ("rollback on", ALL, TO_B, "rollback off", BACK, "rollback on in cluster B", TO_B, BACK), {"other": {}}),
    "Centralized TFTP, nothing prepared": (
        {}, ("centralized tftp of cluster own in cluster B", TO_B), {"other": {}}),
    "Centralized TFTP, the home cluster's ITL emptied first": (
        {}, ("centralized tftp of cluster own in cluster B", "rollback on", ALL, TO_B, BULK_BACK, ALL), {"other": {}}),
    "Mixed mode switched on, and off": ({}, ("cluster mode mixed", ALL, "cluster mode nonsecure", ALL), {}),
    "Mixed mode switched on and the CTL updated with hardware tokens": (
        {"kind": "tokens", "mixed": False}, ("cluster mode mixed", ALL, "ctl sign token-2", ALL), {}),
    "CallManager certificate regenerated in mixed mode, CTL updated after the phones have restarted": (
        MIXED, ("regenerate tftp", ALL, "ctl update", ALL), {}),
    "CallManager certificate regenerated in mixed mode, CTL updated at once": (
        MIXED, ("regenerate tftp", "ctl update", ALL), {}),
    "CTL deleted from the server": ({"mixed": True}, ("ctl delete", ALL), {}),
    "Mixed mode left, and the CTL still on the phone": (
        MIXED,
        ("cluster mode nonsecure", "ctl delete", ALL, "regenerate tftp", ALL, "cluster mode nonsecure", ALL), {}),
    "Two TFTP servers that disagree": (
        {"kind": "classic", "nodes": 2},
        ("move all phones to node 2", "stop tvs on node 1", "stop tvs on node 2", "move all phones to node 1",
         "move all phones to node 2"), {}),
    "The first TFTP server is down, the second belongs to another cluster": ({}, (ALL, ALONE), {"other": {}}),
    "More than 39 certificates": ({}, ("add 30 certificates", ALL, "add 10 certificates", ALL), {}),
    "CallManager certificate regenerated, TFTP restarted by hand": (
        CLASSIC, (BY_HAND, "regenerate tftp", ALL, "restart tftp", ALL), {}),
    "TVS certificate regenerated, TVS not restarted": (
        CLASSIC, (BY_HAND, "regenerate tvs", ALL, "restart tvs", ALL), {}),
    "TVS certificate first, then TFTP, each restarted, but the phones not in between": (
        CLASSIC,
        (BY_HAND, "regenerate tvs", "regenerate tftp", "restart tftp", "erase batch second", "restart tvs", ALL),
        {"phones": 2}),
    "Tomcat certificate regenerated, Tomcat restarted by hand": (
        CLASSIC, (BY_HAND, "regenerate tomcat", ALL, "restart tomcat", ALL), {}),
    "CAPF certificate regenerated in mixed mode: CTL, then CAPF restarted": (
        {"mixed": True}, (BY_HAND, "regenerate capf", "ctl update", ALL, "restart capf", ALL), {}),
    "Rollback prepared, TFTP restarted by hand on one node of two": (
        {"kind": "classic", "nodes": 2},
        (BY_HAND, "rollback on", ALL, "restart tftp on node 1", ALL, "move all phones to node 2"), {}),
    "Upgrade from 7.1(2) in mixed mode, the CTL client run once more": (
        OLD, (ALL, "upgrade", "ctl update", ALL, "finish upgrade", ALL), {"fresh": True}),
    "Upgrade from 7.1(2) in mixed mode, the CTL client forgotten": (
        OLD, (ALL, "upgrade", ALL, "ctl update", ALL), {"fresh": True}),
    "Upgrade from 7.1(3a)su1a in mixed mode": (LATER, (ALL, "upgrade", ALL), {"fresh": True}),
    "Switched back to the inactive version, and forth again, in mixed mode": (
        OLD,
        (ALL, "upgrade", "ctl update", ALL, "finish upgrade", "rollback on", ALL, "switch version", ALL, "ctl update", ALL,
         "switch version", "ctl update", "rollback off", ALL), {"fresh": True}),
    "Upgrade from 11.5 to 12.0": (CLASSIC, ("upgrade", ALL), {}),
    "A user logs in at a phone of another cluster, and out": (
        {}, (*EXCHANGED, "users log out", ALL), {"other": {}}),
    "The user's own cluster regenerates its CallManager certificate": (
        {}, (*EXCHANGED, "regenerate tftp in cluster B", ALL, BULK, BULK_BACK, ALL), {"other": {}}),
    "The user's own cluster regenerates its Tomcat certificate": (
        {}, (*EXCHANGED, "regenerate tomcat in cluster B", ALL, BULK, BULK_BACK, ALL), {"other": {}}),
    "Certificates were not exchanged: the login is refused by the cluster": (
        {}, ("users of cluster B log in", ALL), {"other": {}}),
    "An open cluster: first use, new application server, SAST replaced through the second one": (
        {"kind": "open", "sast": 2},
        (ALL, "regenerate tomcat", ALL, "itl sign sast-2", ALL, "regenerate sast-1", ALL, "itl sign sast-1", ALL),
        {"fresh": True}),
    "An open cluster's application server": ({"kind": "open"}, ("regenerate tomcat", ALL), {}),
    "An open cluster whose only SAST key is made anew": ({"kind": "open"}, ("regenerate sast-1", ALL), {}),
    "An open cluster with a key that signs files": (
        {"kind": "open", "files": True}, (ALL, "regenerate tftp", ALL), {"fresh": True}),
    "An open cluster with a TVS that knows only CERT_VERIFICATION": (
        {"kind": "open", "tvs": True}, ("regenerate sast-1", ALL), {}),
    # The guide's procedures of guide_plays.py, as they are documented.
    "CAPF certificate regenerated in mixed mode": (
        {"mixed": True}, (BY_HAND, "regenerate capf", "ctl update", "restart capf", ALL), {}),
    "TVS certificate regenerated": (CLASSIC, (BY_HAND, "regenerate tvs", "restart tvs", ALL), {}),
    "TFTP certificate regenerated in mixed mode": (
        MIXED, (BY_HAND, "regenerate tftp", "restart tftp", ALL, "ctl update", ALL), {}),
    "Several certificates regenerated": (
        CLASSIC, (BY_HAND, "regenerate tvs", "restart tvs", ALL, "regenerate tftp", "restart tftp", ALL), {}),
    "Several certificates regenerated where ITLRecovery signs lists": (
        {}, (BY_HAND, "regenerate tvs", "restart tvs", ALL, "regenerate tftp", "restart tftp", ALL), {}),
    "Tomcat certificate regenerated, and Tomcat restarted": ({}, (BY_HAND, "regenerate tomcat", "restart tomcat", ALL), {}),
    "Backup after a regeneration, for the day when the server is lost": (
        CLASSIC, ("back up", "regenerate tftp", ALL, "back up", "reinstall", "restore", ALL), {}),
    "ITL key exported, for the day when there is no backup": (
        CLASSIC, ("export itl key", "reinstall", "itl reset remotekey", ALL), {}),
    "Upgrade from 7.1(2) in mixed mode": (
        OLD, ("upgrade", "ctl update", ALL, "finish upgrade", "back up", ALL), {}),
    "Rollback to a release before 8.0": (
        {"nodes": 2}, ("rollback on on node 1", "rollback on on node 2", ALL, "release before 8.0 on", ALL), {}),
    "Rollback in which the subscriber was forgotten, and phones ask it first": (
        {"nodes": 2},
        ("move all phones to node 2", "rollback on on node 1", ALL, "release before 8.0 on", ALL), {}),
    "Switched back to 8.0": (
        {},
        ("rollback on", ALL, "release before 8.0 on", ALL, "release before 8.0 off", "rollback off", ALL), {}),
    "Centralized TFTP, for a new phone of a remote cluster": (
        {},
        ("restarts by-hand in cluster B", "centralized tftp of cluster own in cluster B", "rollback on in cluster B",
         "restart tvs in cluster B", "restart tftp in cluster B", "secure urls http", TO_B), {"other": {}, "fresh": True}),
    "ITLs reset in bulk after a lockout": (
        CLASSIC, (*LOCKED, BY_HAND, "itl reset localkey", "restart tftp", ALL), {}),
    "Moved to another cluster with rollback prepared first": ({}, ("rollback on", ALL, TO_B), {"other": {}}),
    "Moved to another cluster with bulk certificates": ({}, (BULK, TO_B), {"other": {}}),
    "TFTP certificate of a visitor's own cluster regenerated (EMCC)": (
        {}, (*EXCHANGED, "regenerate tftp in cluster B", BULK, ALL), {"other": {}}),
}  # fmt: skip

#: title -> why a plan cannot express it
OUTSIDE = {
    "Autoregistration in a nonsecure cluster": "the phones of a fleet are known to their cluster",
    "Autoregistration in a mixed cluster": "the phones of a fleet are known to their cluster",
    "Autoregistration": "the phones of a fleet are known to their cluster",
    "TVS that knows only CERT_VERIFICATION: a trust list": "that TVS is none of the cluster's, and no step makes it so",
    "TVS that knows only CERT_VERIFICATION: a signed file": "that TVS is none of the cluster's, and no step makes it so",
    "An open cluster with configuration by HTTPS": "lists come by TFTP there, too; a plan asks for configuration by TFTP only",
}
