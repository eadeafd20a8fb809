# SPDX-License-Identifier: MIT
"""The pages of preflight and plan in a real browser: no errors, the picture is there, the timeline reacts."""

import os
import shutil
from pathlib import Path

import pytest

from agent.trust.decision import Decision
from host_tools.plan.document import Plan, parse_step
from host_tools.plan.fleet import Lists
from host_tools.plan.groups import Fleet
from host_tools.plan.paper import World
from host_tools.plan.result import compute
from host_tools.report import plan_page, trust_page
from tests.helpers.browser import Browser
from tests.helpers.lab.key_pool import PooledKeys

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(
    Browser.program() is None, reason="Chromium is not installed: host_tools/setup/apt.sh test"
)


@pytest.fixture
def browser(tmp_path):
    with Browser(tmp_path / "profile") as running:
        yield running


@pytest.fixture
def plan(classic, tmp_path):
    """The file of the page about a plan that locks phones out at its second step."""
    fleet = tmp_path / "fleet.csv"
    fleet.write_text("device,batch\nSEP001122334401,<b>first</b>\nSEP001122334402,second\n")
    world = World(classic.path, {}, PooledKeys())
    steps = [parse_step(text) for text in ("regenerate tvs", "regenerate tftp", "restart batch second")]
    result = compute(
        Plan("Renew </script> & all", steps, {}, tmp_path), world, Fleet(fleet, Lists(None, tmp_path), world)
    )
    page = tmp_path / "plan.html"
    page.write_text(plan_page.page(result))
    return page


def test_the_timeline_shows_groups_and_a_click_shows_their_decisions(plan, browser):
    browser.open(plan)
    assert browser.run("document.querySelectorAll('#timeline [data-step]').length") == 4
    assert browser.run("document.querySelectorAll('#timeline rect').length") >= 4
    assert browser.run("document.getElementById('when').textContent") == "After step 2: regenerate tftp"
    assert browser.run("document.querySelector('#groups td:nth-child(2)').textContent") == "<b>first</b>"
    browser.run("document.querySelector('[data-step=\"1\"]').dispatchEvent(new MouseEvent('click'))")
    assert browser.run("document.getElementById('when').textContent") == "After step 1: regenerate tvs"
    assert "accepted (if it restarts)" in browser.run("document.getElementById('groups').textContent")
    browser.run("document.querySelector('[data-step=\"3\"]').dispatchEvent(new MouseEvent('click'))")
    browser.run("document.querySelector('[data-group=\"1\"]').click()")
    assert "tvs-untrusted" in browser.run("document.getElementById('panel').textContent")
    assert browser.errors == []


def test_the_chain_of_trust_is_drawn(tmp_path, browser):
    signer = {"subject": "CN=lab-pub,O=Lab", "issuer": "CN=lab-pub,O=Lab", "serial": "2a"}
    said = {"server": "192.0.2.1:2445", "status": "valid", "text": "vouches for it as TFTP"}
    found = [
        Decision(True, "vouched-by-tvs", "itl", "ITL is signed by ...", {"signer": signer, "tvs": said}),
        Decision(True, "signed-by-itl", "SEP001122334401.cnf.xml.sgn", "It is signed by ...", {"signer": signer}),
        Decision(False, "not-found", "ctl", "No server has it."),
    ]
    result = {"device": "SEP001122334401", "server": "192.0.2.1", "accepted": True, "mode": "nonsecure"}
    page = tmp_path / "boot.html"
    page.write_text(trust_page.page({**result, "decisions": [each.as_dict() for each in found]}))
    browser.open(page)
    assert browser.run("document.querySelectorAll('#chain rect').length") == 8
    assert "TVS 192.0.2.1:2445" in browser.run("document.getElementById('chain').textContent")
    browser.picture(tmp_path / "boot.png")
    assert (tmp_path / "boot.png").read_bytes()[:4] == b"\x89PNG" and browser.errors == []


def test_a_browser_hears_of_errors_on_a_page(tmp_path, browser):
    page = tmp_path / "bad.html"
    page.write_text("<script>undefined_name()</script><img src='http://127.0.0.1:9/x.png'>")
    browser.open(page)
    assert any("undefined_name" in error for error in browser.errors)
    assert any("127.0.0.1:9" in error for error in browser.errors)


def test_the_picture_of_readme_can_be_made(classic, tmp_path, browser):
    """With PHONETRUST_WRITE_DOCS set, docs/plan.png is made anew."""
    fleet = tmp_path / "fleet.csv"
    rows = [f"SEP0011223344{n:02X},{'first' if n < 6 else 'second'},{'no' if n > 15 else 'yes'}" for n in range(20)]
    fleet.write_text("\n".join(["device,batch,online", *rows]))
    world = World(classic.path, {}, PooledKeys())
    texts = ["regenerate tvs", "restart batch first", "regenerate tftp", "restart all phones", "back up"]
    plan = Plan("Renew TVS and TFTP", [parse_step(text) for text in texts], {}, tmp_path)
    page, picture = tmp_path / "plan.html", tmp_path / "plan.png"
    page.write_text(plan_page.page(compute(plan, world, Fleet(fleet, Lists(None, tmp_path), world))))
    browser.open(page)
    browser.run("document.querySelector('[data-group=\"1\"]').click()")
    browser.picture(picture)
    assert browser.errors == []
    if os.environ.get("PHONETRUST_WRITE_DOCS"):
        shutil.copy(picture, ROOT / "docs" / "plan.png")
