# SPDX-License-Identifier: MIT
"""The wheel: built, installed into an empty environment without a compiler, and asked to run a plan.

The environment has only what the wheel requires, linked from this environment, so that no network is used."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def needed(name, found=None):
    """{name: Distribution} of a distribution's requirements here, and of theirs, without extras."""
    found = {} if found is None else found
    for line in metadata.distribution(name).requires or ():
        other = re.match(r"[A-Za-z0-9._-]+", line)[0].lower()
        if "extra ==" in line or other in found:
            continue
        try:
            found[other] = metadata.distribution(other)
        except metadata.PackageNotFoundError:
            continue  # for another system or Python
        needed(other, found)
    return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of programs of an environment in which the wheel is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    listing = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listing.stdout.decode().split("\0")):
        if (
            name.startswith(("agent/", "hal/", "host_tools/", "pyproject", "README", "LICENSE"))
            and (ROOT / name).is_file()
        ):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        folder,
    ]
    subprocess.run([*build, source], check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", folder / "environment"], check=True)
    programs = folder / "environment" / "bin"
    wheel = next(folder.glob("phonetrust-*-py3-none-any.whl"))
    subprocess.run([programs / "pip", "install", "-q", "--no-deps", "--no-index", wheel], check=True)
    packages = next((folder / "environment").glob("lib/python*/site-packages"))
    for distribution in needed("phonetrust").values():
        for top in {Path(file).parts[0] for file in distribution.files if ".." not in Path(file).parts}:
            place = packages / top
            if not place.exists() and top != "__pycache__":
                place.symlink_to(distribution.locate_file(top))
    return programs


def run(installed, folder, *arguments):
    environment = {"PATH": str(installed), "HOME": str(folder), "COLUMNS": "80", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [installed / "phonetrust", *map(str, arguments)], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_the_wheel_runs_a_plan_with_page_and_visits(installed, tmp_path):
    made = run(installed, tmp_path, "lab", "init", "-C", "cluster", "--kind", "classic")
    assert made.returncode == 0, made.stderr
    (tmp_path / "fleet.csv").write_text("device\nSEP001122334455\n")
    shutil.copy(ROOT / "docs/plans/renew-too-fast.toml", tmp_path)
    plan = ["plan", "renew-too-fast.toml", "--cluster", "cluster", "--fleet", "fleet.csv"]
    result = run(installed, tmp_path, *plan, "--json", "--html", "plan.html", "--visits", "visits.csv")
    assert result.returncode == 1, result.stderr
    found = json.loads(result.stdout)
    assert (found["first_lockout"], found["visit_count"]) == (2, 1) and found["safe_order"]["steps"]
    assert "SEP001122334455" in (tmp_path / "visits.csv").read_text()
    assert "timeline" in (tmp_path / "plan.html").read_text()


def test_the_wheel_answers_everything_that_administrators_ask(installed, tmp_path):
    """No compiler is within reach (PATH), and no server: fetch and preflight --from say that nobody answered."""
    made = run(installed, tmp_path, "lab", "init", "-C", "cluster", "--kind", "classic")
    assert made.returncode == 0, made.stderr
    shutil.copytree(tmp_path / "cluster/current/published/lab-pub", tmp_path / "old")
    assert run(installed, tmp_path, "lab", "regenerate", "-C", "cluster", "tvs").returncode == 0
    shutil.copytree(tmp_path / "cluster/current/published/lab-pub", tmp_path / "new")
    (tmp_path / "fleet.csv").write_text("device,itl\nSEP001122334455,old/ITLFile.tlv\nlobby,\n")
    shutil.copy(ROOT / "docs/plans/renew.toml", tmp_path)
    plan = ["renew.toml", "--cluster", "cluster", "--fleet", "fleet.csv"]
    boot = [
        "preflight",
        "--boot",
        "new",
        "--installed-itl",
        "old/ITLFile.tlv",
        "--tvs",
        "unreachable",
        "--html",
        "boot.html",
    ]
    for command, status, words in (
        (["inspect", "new/ITLFile.tlv"], 0, "GOOD"),
        (["inspect", "new/ITLFile.tlv", "--full"], 0, "Fields of record 1"),
        (["inspect", "new/ITLFile.tlv", "--pem", "1"], 0, "BEGIN CERTIFICATE"),
        (["diff", "old/ITLFile.tlv", "new/ITLFile.tlv"], 1, "renewed"),
        (["diff", "old", "new", "--json"], 1, '"renewed"'),
        (["preflight", "new/ITLFile.tlv", "--installed-itl", "old/ITLFile.tlv"], 0, "ACCEPTED signed-by-itl"),
        (boot, 1, "accepted signed-by-itl"),  # 1: the folder has no configuration
        (["plan", "check", *plan], 1, "fleet, line 3: 'lobby' is no device name"),
        (["plan", *plan], 2, "Left out: fleet, line 3"),
        (["fetch", "127.0.0.1:9", "--to", "now"], 2, "0 files are in now"),
        (["preflight", "--from", "127.0.0.1:9"], 2, "no-server"),
        (["completion", "bash"], 0, "_phonetrust_completion"),
    ):
        result = run(installed, tmp_path, *command)
        assert result.returncode == status and words in result.stdout, (command, result.stdout, result.stderr)
        assert "Traceback" not in result.stderr and "fault of this program" not in result.stderr
    assert '<svg id="chain"' in (tmp_path / "boot.html").read_text()


def test_every_command_of_the_wheel_has_its_help(installed, tmp_path):
    from host_tools.cli.main import COMMANDS

    for command in COMMANDS:
        result = run(installed, tmp_path, command, "--help")
        assert result.returncode == 0 and "Usage" in result.stdout, (command, result.stderr)


def test_what_runs_is_the_wheel_and_not_this_folder(installed, tmp_path):
    script = "import host_tools, agent, hal; print(host_tools.__path__, agent.__path__, hal.__path__)"
    result = subprocess.run(
        [installed / "python", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0 and str(ROOT) not in result.stdout, result.stdout + result.stderr
