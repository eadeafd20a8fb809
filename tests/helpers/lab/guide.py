# SPDX-License-Identifier: MIT
"""The guide's procedures step by step, in its order: the lab's command for each step, and the test that plays it.

docs/procedures.md begins with this table. Rules are those of docs/spec/procedures.md; a test is FILE::NAME below
tests/scenarios, or the title of a play (plays.py).
"""

RULES = "procedures.md"  # of docs/spec
_C, _R, _S = "test_procedures_certificates", "test_procedures_restarts", "test_procedures_signers"
_B, _M, _U = "test_procedures_rollback", "test_procedures_migration", "test_procedures_upgrade"
_X, _V, _L = "test_procedures_mixed_mode", "test_procedures_visitors", "test_lab_clusters"

# (rule, [(the step, the lab's command or what stands for it, test)])
GUIDE = (
    (
        "G1",
        "Regenerate a certificate",
        (
            ("CAPF: regenerate", "regenerate capf", f"{_C}::test_capf"),
            ("CAPF: with a CTL, run the CTL client", "ctl update", f"{_R}::test_capf_by_hand_in_mixed_mode"),
            ("CAPF: restart CAPF", "service restart capf", "CAPF certificate regenerated in mixed mode"),
            ("TVS: regenerate; nothing else by hand", "regenerate tvs", f"{_C}::test_tvs"),
            (
                "TVS: its restart, where services are restarted by hand",
                "service restart tvs",
                f"{_R}::test_tvs_forgotten",
            ),
            ("TFTP: regenerate", "regenerate tftp", f"{_C}::test_tftp"),
            ("TFTP: restart TFTP", "service restart tftp", f"{_R}::test_tftp_restarted_by_hand"),
            ("TFTP: wait until all phones have restarted", "phones-restarted", f"{_C}::test_waves_awaited"),
            ("TFTP: in mixed mode, run the CTL client", "ctl update", f"{_X}::test_update_without_tokens"),
            (
                "TFTP: with EMCC, repeat the bulk steps",
                "bulk-cert export",
                f"{_V}::test_visitor_after_a_certificate_changed",
            ),
            ("Several: TVS first", "regenerate tvs", f"{_C}::test_tvs_then_tftp"),
            ("Several: wait for the restarts", "phones-restarted", f"{_C}::test_waves_overtaken"),
            ("Several: TFTP last", "regenerate tftp", "Several certificates regenerated"),
            ("Several: else delete ITLs by hand", "the phone's console: erase", f"{_C}::test_tvs_and_tftp_together"),
            ("Tomcat: regenerate", "regenerate tomcat", f"{_C}::test_tomcat"),
            ("Tomcat: restart Tomcat", "service restart tomcat", f"{_R}::test_tomcat_by_hand"),
            (
                "Tomcat: with EMCC, repeat the bulk steps",
                "bulk-cert export",
                f"{_V}::test_visitor_after_tomcat_changed",
            ),
        ),
    ),
    (
        "G2",
        "Backup",
        (
            ("After installation: export the ITL key", "itl export-recovery", f"{_S}::test_reset_remotekey"),
            ("After installation: back up", "backup", f"{_S}::test_key_lost_and_restored"),
            ("After each regeneration: back up again", "backup", f"{_S}::test_restored_to_an_earlier_state"),
            ("Restore", "restore", "Backup after a regeneration, for the day when the server is lost"),
        ),
    ),
    (
        "G3",
        "Upgrade from 7.x to 8.6 or later",
        (
            ("Upgrade", "upgrade", f"{_B}::test_refresh_upgrade"),
            ("In mixed mode, for some releases: the CTL client", "ctl update", f"{_U}::test_upgrade_in_mixed_mode"),
            ("Wait ten minutes", "phones-restarted", "Upgrade from 7.1(2) in mixed mode"),
            ("Call records: no restart, switch or backup", "upgrade --finish", "Upgrade from 7.1(2) in mixed mode"),
            ("Back up", "backup", "Upgrade from 7.1(2) in mixed mode"),
        ),
    ),
    (
        "G4",
        "Back to a release before 8.0",
        (
            ("On each server: the parameter to True", "set rollback true", f"{_B}::test_rollback_of_one_node_of_two"),
            ("Wait ten minutes", "phones-restarted", "Rollback to a release before 8.0"),
            ("Revert each server", "switch-version", f"{_U}::test_back_to_the_inactive_version"),
            (
                "In mixed mode, for some releases: the CTL client",
                "ctl update",
                f"{_U}::test_back_to_the_inactive_version",
            ),
            ("The directories' URLs", "set directory", f"{_B}::test_directories"),
        ),
    ),
    (
        "G5",
        "Switch back",
        (
            ("Switch versions", "switch-version", f"{_U}::test_back_to_the_inactive_version"),
            ("The CTL client as above", "ctl update", f"{_U}::test_back_to_the_inactive_version"),
            ("The parameter to False", "set rollback false", f"{_B}::test_switched_back"),
            ("Wait ten minutes", "phones-restarted", "Switched back to 8.0"),
        ),
    ),
    (
        "G6",
        "Centralized TFTP",
        (
            ("Central server: the parameter to True", "set rollback true", f"{_M}::test_centralized_tftp_prepared"),
            ("Restart TVS and TFTP", "service restart tftp", "Centralized TFTP, for a new phone of a remote cluster"),
            ("Reset all phones, check the empty ITL", "forecast", f"{_M}::test_centralized_tftp"),
            ("Secure URLs to HTTP", "set secure-urls http", "Centralized TFTP, for a new phone of a remote cluster"),
        ),
    ),
    (
        "G7",
        "Bulk reset",
        (
            ("Export the key", "itl export-recovery", f"{_S}::test_reset_remotekey"),
            ("Reset with the local key", "itl reset localkey", f"{_S}::test_reset_localkey"),
            ("Reset with the remote key", "itl reset remotekey", f"{_S}::test_reset_remotekey"),
            ("Check", "show itl", "test_lab_commands::test_lists_are_shown_as_a_cluster_prints_them"),
            ("Restart TFTP and all devices", "service restart tftp", "ITLs reset in bulk after a lockout"),
        ),
    ),
    (
        "G8",
        "Move to another cluster",
        (
            ("Rollback: the parameter on the old cluster", "set rollback true", f"{_M}::test_rollback_first"),
            ("Rollback: False again, if it stays", "set rollback false", f"{_M}::test_back_after_rollback"),
            ("Bulk: export from the new cluster, TFTP", "bulk-cert export --type TFTP", f"{_M}::test_bulk_tftp_only"),
            ("Bulk: consolidate", "bulk-cert consolidate", "Moved to another cluster with bulk certificates"),
            ("Bulk: import at the old cluster", "bulk-cert import", f"{_M}::test_bulk_certificates"),
            ("Point the phones to the new cluster", "option 150, or the phone's settings", f"{_M}::test_problem_1"),
        ),
    ),
    (
        "G9",
        "Autoregistration",
        (
            ("Only in nonsecure clusters", "autoregistration on", f"{_X}::test_autoregistration_in_mixed_mode"),
            ("Signed for phones that know signatures", "autoregistration on", f"{_X}::test_autoregistration"),
            (
                "Plain for the others",
                "autoregistration on",
                f"{_L}::test_the_default_configuration_is_signed_and_plain",
            ),
        ),
    ),
    (
        "G10",
        "Support list",
        (
            (
                "Choose the feature, submit",
                "report features",
                f"{_L}::test_the_support_list_goes_by_model_and_by_what_was_asked_for",
            ),
        ),
    ),
)


def table():
    """The table, in Markdown."""
    lines = ["| step | in the lab | played by |", "| --- | --- | --- |"]
    for rule, name, steps in GUIDE:
        lines.append(f"| **{name}** ([{rule}](spec/{RULES})) | | |")
        lines += [f"| {step} | {command_text(command)} | {test_text(test)} |" for step, command, test in steps]
    return "\n".join([*lines, ""])


def is_command(command):
    """Whether it is one of the lab's commands, not another action."""
    return ":" not in command and "," not in command


def command_text(command):
    """`phonetrust lab ...`, or the words unchanged."""
    return f"`{command}`" if is_command(command) else command


def test_text(test):
    """A scenario by its name, or the play by its title."""
    return f"`{test.rpartition('::')[2]}`" if "::" in test else test


test_text.__test__ = False
