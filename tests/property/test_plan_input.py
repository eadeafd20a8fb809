# SPDX-License-Identifier: MIT
"""Plans, fleets and fetched folders by an enemy: one sentence, exit status 2, no traceback, and nothing that steers a terminal
or a browser."""

import html.parser
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from typer.testing import CliRunner

from host_tools.cli.main import app
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.model.keys import make_identity
from host_tools.lab.writers import files
from tests.helpers.lab.key_pool import PooledKeys

EVIL = "</script><script>alert('x')</script>\x1b[2J\x07"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a cluster, a plan and a fleet, each good."""
    folder = tmp_path_factory.mktemp("plan-input")
    Cluster.create(folder / "c", key_maker=PooledKeys(), kind="classic")
    (folder / "good.toml").write_text('steps = ["regenerate tvs", "restart all phones"]')
    (folder / "good.csv").write_text("device\nSEP001122334401\n")
    return folder


def run(place, *arguments):
    result = CliRunner().invoke(app, ["plan", *map(str, arguments)], env={"COLUMNS": "80"})
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output and not _CONTROL.search(result.output), result.output
    return result


def planned(place, plan="good.toml", fleet="good.csv", *more):
    return run(place, place / plan, "--cluster", place / "c", "--fleet", place / fleet, "--no-search", *more)


VALUES = some.recursive(
    some.none() | some.integers() | some.text(max_size=20) | some.booleans(),
    lambda inner: some.lists(inner, max_size=3),
)
STEP = some.one_of(
    some.text(max_size=40),
    some.sampled_from(["regenerate tvs on node 999", "move all phones to cluster B", "hand out x", "itl reset remotekey",
                       "regenerate tvs on node " + "9" * 5000, "regenerate tvs in cluster " + "x" * 400, EVIL,
                       "users of cluster own log in", "move all phones to node 0"]),
)  # fmt: skip


def quoted(text):
    return '"' + "".join(f"\\u{ord(each):04x}" if ord(each) < 0x10000 else "?" for each in text) + '"'


@settings(max_examples=60, deadline=None)
@given(
    some.lists(STEP, max_size=4),
    some.text(max_size=10),
    some.dictionaries(some.sampled_from("Bxq"), some.text(max_size=10)),
)
def test_no_plan_breaks_the_command(place, steps, name, clusters):
    surrogate_free = [step.encode("utf-8", "replace").decode() for step in steps]
    lines = [f"name = {quoted(name)}", f"steps = [{', '.join(map(quoted, surrogate_free))}]", "[clusters]"]
    lines += [f"{key} = {quoted(value)}" for key, value in clusters.items()]
    (place / "p.toml").write_text("\n".join(lines), encoding="utf-8", errors="replace")
    assert planned(place, "p.toml").exit_code in (0, 1, 2)


@settings(max_examples=40, deadline=None)
@given(some.binary(max_size=200))
def test_no_bytes_in_the_place_of_a_plan_break_the_command(place, content):
    (place / "p.toml").write_bytes(content)
    result = planned(place, "p.toml")
    assert result.exit_code == 2 and len(result.stderr.splitlines()) == 1


CELL = some.one_of(
    some.text(max_size=30),
    some.sampled_from(["SEP001122334401", "sep001122334402", "yes", "no", "1 2", "99", "²", "\0", "\ufeff", "/dev/zero",
                       "a" * 64, "sha256:" + "0" * 64, '"', "=cmd|' /C calc'!A0", EVIL, "\r", "x" * 5000]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    some.lists(
        some.sampled_from(["device", "model", "itl", "ctl", "servers", "online", "batch", "DEVICE ", "x"]), max_size=5
    ),
    some.lists(some.lists(CELL, max_size=5), max_size=4),
    some.sampled_from(["\n", "\r\n"]),
    some.booleans(),
)
def test_no_fleet_breaks_the_command(place, header, rows, end, marked):
    lines = [",".join(header), *(",".join(cells) for cells in rows), "SEP00112233440F"]
    text = ("\ufeff" if marked else "") + end.join(lines)
    (place / "f.csv").write_bytes(text.encode("utf-8", "replace"))
    result = planned(place, "good.toml", "f.csv", "--visits", place / "v.csv")
    assert result.exit_code in (0, 1, 2)


@settings(max_examples=40, deadline=None)
@given(some.binary(max_size=300))
def test_no_bytes_in_the_place_of_a_fleet_break_the_command(place, content):
    (place / "f.csv").write_bytes(b"device,batch\n" + content)
    assert planned(place, "good.toml", "f.csv").exit_code in (0, 1, 2)


@pytest.mark.parametrize(
    "content, words",
    [
        ("steps = " + "[" * 100_000, "nested too deeply"),
        ("x" * ((1 << 20) + 1), "more than 1048576 bytes"),
        ('steps = ["back up"]\nclusters = 3', "clusters must name folders"),
        ('steps = ["back up"]\n[clusters]\nB = "a\\u0000b"', "there is no such folder"),
        ('steps = ["back up"]\n[clusters]\nown = "c"', "own is the name of the plan's own cluster"),
        ('steps = ["back up"]\ncolour = "red"', "'colour' is unknown"),
        (f'steps = ["{"a" * 400}"]', "a step has at most 300"),
        ('steps = ["restart al phones"]', "did you mean 'restart all phones'?"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said(place, content, words):
    (place / "p.toml").write_text(content)
    result = planned(place, "p.toml")
    assert result.exit_code == 2 and words in result.stderr and len(result.stderr.splitlines()) == 1, result.stderr


def test_a_fleet_as_a_spreadsheet_of_another_system_saves_it(place):
    (place / "f.csv").write_bytes(
        '\ufeffDevice, Batch \r\n"SEP001122334401","a,b"\r\n\r\nSEP001122334402,c\r\n'.encode()
    )
    assert "2 phones in 2 groups" in planned(place, "good.toml", "f.csv").stdout


class Page(html.parser.HTMLParser):
    """Counts the elements of a page."""

    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attributes):
        """A start tag."""
        self.tags.append(tag)


def test_names_of_certificates_batches_and_plans_are_text_on_the_page_and_in_the_table(place):
    signer = make_identity(EVIL, PooledKeys().rsa())
    (place / "evil").mkdir()
    records = [files.record(signer.certificate, role) for role in (files.SAST, files.TFTP)]
    for name, stamp in (("ITLFile.tlv", 2), ("old.tlv", 1)):
        (place / "evil" / name).write_bytes(files.trust_list("ITLFile.tlv", signer, records, stamp))
    (place / "f.csv").write_text(f'device,batch,model,itl\nSEP001122334401,"{EVIL}",=1+1,evil/old.tlv\n')
    (place / "p.toml").write_text(f'name = {quoted(EVIL)}\nsteps = ["reinstall", "restart all phones"]')
    common = ["--cluster", place / "evil", "--fleet", place / "f.csv", "--no-search"]
    result = run(place, place / "p.toml", *common, "--html", place / "page.html", "--visits", place / "v.csv")
    assert result.exit_code == 1, result.output
    page, good = Page(), Page()
    page.feed((place / "page.html").read_text())
    planned(place, "good.toml", "good.csv", "--html", place / "good.html")
    good.feed((place / "good.html").read_text())
    assert page.tags.count("script") == good.tags.count("script") == 2
    assert not _CONTROL.search((place / "page.html").read_text())
    row = (place / "v.csv").read_text().splitlines()[1]
    assert ",'=1+1," in row and not _CONTROL.search(row)
