# SPDX-License-Identifier: MIT
"""The tasks at the end of docs/guide.md: their commands are run, and their output must be what the guide shows.

PHONETRUST_WRITE_DOCS=1 writes them anew. Serial numbers, which differ from run to run, are left out, as in docs/procedures.md."""

import os
import re
import shutil
from pathlib import Path

from typer.testing import CliRunner

from host_tools.cli.main import app
from tests.helpers.lab.document import stable
from tests.helpers.lab.key_pool import PooledKeys
from tests.helpers.lab.procedure import MAC

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guide.md"
MARK = "<!-- tasks: written by tests/scenarios/test_guide_tasks.py -->\n"
FLEET = "".join(f"SEP0011223344{number:02X},{'first' if number < 4 else 'second'},yes\n" for number in range(10))
#: (title, background, plan, how the cluster is made)
TASKS = (
    (
        "Renew all certificates before they expire",
        "TVS first, then a restart, then what signs lists and files. `renew-too-fast.toml` shows what happens otherwise.",
        ("renew", "renew-too-fast"),
        {"kind": "classic"},
    ),
    (
        "Move phones to another cluster",
        "The old cluster's TVS learns the certificates of the new one first, and stays within reach.",
        ("move",),
        {"kind": "classic"},
    ),
    (
        "Leave mixed mode",
        "Phones take the new CTL from a signer of the old one.",
        ("leave-mixed-mode",),
        {"kind": "tokens"},
    ),
    (
        "Restore after the loss of the TFTP key",
        "Phones that restart meanwhile refuse everything; with the backup they are well again, and nobody is visited.",
        ("restore-tftp-key",),
        {"kind": "classic"},
    ),
    (
        "Upgrade from before 8.0",
        "Phones get their first list from the new release.",
        ("upgrade",),
        {"kind": "classic", "old_release": "007.001(003.21900.003)"},
    ),
)


def section(new_cluster, folder, number, title, words, plans, options):
    """The text of a task, from what its commands print now."""
    text = [f"### {number}. {title}", words, ""]
    place = folder / str(number)
    place.mkdir()
    new_cluster(**options).path.rename(place / "my-cluster")
    (place / "fleet.csv").write_text("device,batch,online\n" + FLEET)
    for name in plans:
        source = ROOT / "docs" / "plans" / f"{name}.toml"
        if "[clusters]" in source.read_text():
            new_cluster(name="new", address="127.0.0.2").path.rename(place / "new-cluster")
        shutil.copy(source, place)
        os.chdir(place)
        command = ["plan", f"{name}.toml", "--cluster", "my-cluster", "--fleet", "fleet.csv"]
        result = CliRunner().invoke(app, command, env={"COLUMNS": "80"})
        assert result.exit_code in (0, 1), result.output
        lines = [line.rstrip() for line in result.stdout.splitlines()]
        text += [
            "```",
            f"$ phonetrust {' '.join(command)}",
            *_stable(lines),
            "```",
            f"Exit status {result.exit_code}.",
            "",
        ]
    return "\n".join(text)


LIVE = """### 6. Look at the servers that run now, before and after a renewal
The files of before are kept. `preflight --from` then asks the servers what a phone that holds them would get, and TVS what
it vouches for."""
#: what is done on the cluster between the commands -> (certificates, what the guide says about it)
RENEWALS = (
    (("tftp",), "Only the certificate that signs lists is regenerated: TVS vouches for the new one."),
    (
        ("tvs", "tftp"),
        "Then TVS and the signer are regenerated before phones restart: phones are locked out, so nothing is restarted yet.",
    ),
)


def live_section(new_cluster, folder):
    """The text of the task with servers that run on loopback; the guide has 192.0.2.10 in their place."""
    cluster = new_cluster(kind="classic")
    place = folder / "live"
    place.mkdir()
    os.chdir(place)
    text = [LIVE, ""]
    with cluster.serve() as serving:
        here = {"192.0.2.10": f"127.0.0.1:{serving.tftp_port()}", "192.0.2.10:2445": f"127.0.0.1:{serving.tvs_port()}"}
        text += _ran(["fetch", "192.0.2.10", "--phone", MAC, "--to", "before"], here, 0)
        command = ["preflight", "--from", "192.0.2.10", "--phone", MAC, "--installed-itl", "before/ITLFile.tlv"]
        command += ["--configured-tvs", "192.0.2.10:2445", "--html", "boot.html"]
        for number, (kinds, words) in enumerate(RENEWALS):
            for kind in kinds:
                cluster.regenerate(kind)
            text += [words, "", *_ran(command, here, number)]
        assert '<svg id="chain"' in (place / "boot.html").read_text()
    return "\n".join(text)


def _ran(command, here, status):
    """The lines about a command, run with the addresses of `here` in the place of those that are shown."""
    result = CliRunner().invoke(app, [here.get(word, word) for word in command], env={"COLUMNS": "80"})
    assert result.exit_code == status, result.output
    output = "\n".join(line.rstrip() for line in result.stdout.splitlines())
    output = re.sub(
        r"\n      (?=\S)(.+(?:\n      \S.+)*)", lambda found: "\n      " + stable(" ".join(found[0].split())), output
    )
    for shown, real in reversed(here.items()):
        output = output.replace(real, shown)
    return ["```", f"$ phonetrust {' '.join(command)}", output, "```", f"Exit status {status}.", ""]


def _stable(lines):
    """Lines as they are, but a long sentence as one line without what differs from run to run."""
    joined = "\n".join(lines)
    reason = re.search(r"(?ms)^  [a-z-]+: .*?(?=^(?:A safe order|No safe order|\d+ phones))", joined)
    if reason:
        joined = joined.replace(reason[0], stable("  " + " ".join(reason[0].split())) + "\n")
    return joined.splitlines()


def test_the_tasks_of_the_guide_print_what_it_shows(new_cluster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("host_tools.plan.clusters.KeyMaker", PooledKeys)
    parts = [section(new_cluster, tmp_path, number, *task) for number, task in enumerate(TASKS, 1)]
    parts.append(live_section(new_cluster, tmp_path))
    head = (
        "## Six tasks\nReal output, for ten phones that hold the cluster's lists. Serial numbers are left out; a long sentence "
        "is in one line.\nIn the last task a lab cluster runs on loopback; 192.0.2.10 stands in the place of its ports.\n\n"
    )
    written = MARK + "\n" + head + "\n".join(parts)
    before, mark, shown = GUIDE.read_text().partition(MARK)
    assert mark, "the guide has no place for its tasks"
    if os.environ.get("PHONETRUST_WRITE_DOCS"):
        GUIDE.write_text(before + written)
        shown = written.removeprefix(MARK)
    assert mark + shown == written
