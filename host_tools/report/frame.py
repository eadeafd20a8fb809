# SPDX-License-Identifier: MIT
"""The frame of every page: style, a policy that lets nothing load from elsewhere, and escaping."""

import base64
import hashlib
import html

from agent.formats.text import SENTENCES_LIMIT, shown

STYLE = """
:root { --good:#1a7f37; --bad:#b3261e; --maybe:#9a6700; --line:#8c959f; --paper:#fff; --ink:#1f2328; --soft:#f0f3f6 }
@media (prefers-color-scheme: dark) {
  :root { --good:#57ab5a; --bad:#f47067; --maybe:#c69026; --paper:#1c2128; --ink:#cdd9e5; --soft:#2d333b }
}
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem; padding: 0 1rem;
  background: var(--paper); color: var(--ink) }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
svg { max-width: 100%; height: auto } svg text { font: 13px system-ui, sans-serif; fill: var(--ink) }
svg .small { font-size: 11px } table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top }
.accepted { color: var(--good) } .refused, .locked-out { color: var(--bad) } .unchanged, .asks-tvs { color: var(--maybe) }
.word { font-weight: 600 } .note { color: var(--line) } code { background: var(--soft); padding: 0 .25rem }
"""


def text(value):
    """A text for a page: control characters shown as "?", HTML's own characters escaped."""
    return html.escape(shown(str(value), SENTENCES_LIMIT))


def page(title, body, script=""):
    """The whole page. title: plain text; body, script: our own HTML and JavaScript, with texts in it already escaped.

    The policy of the page allows its own style and script, by their checksums, and nothing else."""
    policy = f"default-src 'none'; style-src '{_checksum(STYLE)}'"
    if script:
        policy += f"; script-src '{_checksum(script)}'"
    element = f"<script>{script}</script>" if script else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n{element}\n</body>\n</html>\n"
    ).replace("default-src 'none'", "default-src 'none'; img-src data:")


def _checksum(content):
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
