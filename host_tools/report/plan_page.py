# SPDX-License-Identifier: MIT
"""The page about a plan: a timeline of the phones' state after each step, and the decisions of a group that is clicked."""

import json

from host_tools.report.frame import page as framed
from host_tools.report.frame import text

_COLOURS = {
    "accepted": "var(--good)",
    "unchanged": "var(--line)",
    "waits": "var(--maybe)",
    "locked-out": "var(--bad)",
}
_MEANING = {
    "accepted": "take the new lists",
    "unchanged": "have them already",
    "waits": "get nothing, and try again",
    "locked-out": "refuse: locked out",
}
_HEIGHT, _TOP, _LEFT, _WIDTH = 220, 20, 60, 900
MOST_SHOWN = 200  # groups in the table; the timeline counts all

_SCRIPT = """
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const panel = document.getElementById("panel");
function add(parent, name, words, kind) {
  const element = document.createElement(name);
  if (words !== undefined) element.textContent = words;
  if (kind) element.className = kind;
  parent.appendChild(element);
  return element;
}
function step(number) {
  for (const row of document.querySelectorAll("[data-step]"))
    row.classList.toggle("chosen", Number(row.dataset.step) === number);
  const body = document.getElementById("groups");
  body.replaceChildren();
  const chosen = data.steps[number];
  document.getElementById("when").textContent = number ? "After step " + number + ": " + chosen.step : chosen.step;
  data.groups.forEach((group, index) => {
    const cell = chosen.groups[index];
    const row = add(body, "tr");
    row.dataset.group = index;
    row.tabIndex = 0;
    add(row, "td", group.phones);
    add(row, "td", group.batch || "-");
    add(row, "td", group.online ? "yes" : "no");
    add(row, "td", group.example);
    add(row, "td", cell.outcome + (cell.restarted ? "" : " (if it restarts)"), "word " + cell.outcome);
    const show = () => decisions(number, index);
    row.addEventListener("click", show);
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") show(); });
  });
  panel.replaceChildren();
}
function decisions(number, index) {
  const cell = data.steps[number].groups[index];
  panel.replaceChildren();
  add(panel, "h2", "Group " + (index + 1) + ", for example " + data.groups[index].example + ": " + cell.outcome);
  for (const each of data.decisions[cell.decisions]) {
    add(panel, "p", each.kind + ": " + each.outcome + ", " + each.reason, "word " + each.outcome);
    add(panel, "p", each.text);
  }
}
for (const bar of document.querySelectorAll("[data-step]")) {
  bar.addEventListener("click", () => step(Number(bar.dataset.step)));
  bar.addEventListener("keydown", (event) => { if (event.key === "Enter") step(Number(bar.dataset.step)); });
}
const wanted = /^#step=(\\d+)(?:&group=(\\d+))?$/.exec(location.hash);
const first = wanted && data.steps[Number(wanted[1])] ? Number(wanted[1]) : data.start;
step(first);
if (wanted && wanted[2] && data.groups[Number(wanted[2])]) decisions(first, Number(wanted[2]));
"""


def page(result):
    """HTML of a result of host_tools.plan.result."""
    shown = {
        "steps": [{**each, "groups": each["groups"][:MOST_SHOWN]} for each in result["steps"]],
        "groups": result["groups"][:MOST_SHOWN],
        "decisions": result["decisions"],
        "start": result["first_lockout"] or len(result["steps"]) - 1,
    }
    data = json.dumps(shown).replace("<", "\\u003c")
    more = len(result["groups"]) - MOST_SHOWN
    note = f'<p class="note">{more} more groups are counted above and not listed.</p>' if more > 0 else ""
    body = f"""<h1>{text(result["plan"])}</h1>
<p>{text(result["phones"])} phones. {_said(result)}</p>
{timeline(result)}
<p>{_legend()} Click a step, then a group.</p>
<ol>{"".join(_line(step) for step in result["steps"][1:])}</ol>
{_order(result)}
<h2 id="when"></h2>
<table><thead><tr><th>Phones</th><th>Batch</th><th>Online</th><th>Example</th><th>They</th></tr></thead>
<tbody id="groups"></tbody></table>{note}
<div id="panel"></div>
<script type="application/json" id="data">{data}</script>"""
    return framed(result["plan"], body, _SCRIPT)


def _said(result):
    if result["safe"]:
        return '<span class="word accepted">No step locks anybody out.</span>'
    parts = []
    if result["first_lockout"] is not None:
        step = result["steps"][result["first_lockout"]]
        words = f"Step {step['number']} ({step['step']}) is the first that locks phones out."
        parts.append(f'<span class="word locked-out">{text(words)}</span>')
    parts += [f"Step {text(number)} cannot be done." for number in result["impossible"]]
    return " ".join([*parts, f"{text(result['visit_count'])} phones need a visit at the end."])


def _line(step):
    problem = f' <span class="refused">cannot be done: {text(step["problem"])}</span>' if step["problem"] else ""
    return f"<li>{text(step['step'])}{problem}</li>"


def _order(result):
    safe = result["safe_order"]
    if not safe:
        return ""
    items = "".join(f"<li>{text(step)}</li>" for step in safe["steps"] or ())
    return f"<h2>Is there a safe order?</h2><p>{text(safe['text'])}</p><ol>{items}</ol>"


def _legend():
    return " ".join(
        f'<svg width="12" height="12"><rect width="12" height="12" fill="{colour}"/></svg> {text(_MEANING[outcome])}.'
        for outcome, colour in _COLOURS.items()
    )


def timeline(result):
    """SVG: a bar for each step, its parts as high as the share of phones with each outcome."""
    steps, total = result["steps"], max(1, result["phones"])
    wide = (_WIDTH - _LEFT) / len(steps)
    parts = [
        f'<svg id="timeline" role="img" aria-label="Phones after each step" viewBox="0 0 {_WIDTH} {_HEIGHT + 60}" '
        'xmlns="http://www.w3.org/2000/svg">',
        f'<text class="small" x="4" y="{_TOP + 8}">{result["phones"]}</text>',
        f'<text class="small" x="4" y="{_TOP + _HEIGHT}">0</text>',
    ]
    for place, step in enumerate(steps):
        left = _LEFT + place * wide
        told = ", ".join(f"{count} {outcome}" for outcome, count in step["counts"].items() if count)
        parts.append(f'<g data-step="{step["number"]}" tabindex="0">')
        parts.append(f"<title>{text(step['step'])}: {text(told)}</title>")
        y = float(_TOP + _HEIGHT)
        for outcome, colour in _COLOURS.items():
            high = step["counts"][outcome] / total * _HEIGHT
            if high:
                y -= high
                parts.append(
                    f'<rect x="{left + 3:.1f}" y="{y:.1f}" width="{wide - 6:.1f}" height="{high:.1f}" fill="{colour}"/>'
                )
        parts.append(
            f'<text x="{left + wide / 2 - 4:.1f}" y="{_TOP + _HEIGHT + 20}">{step["number"] or "before"}</text></g>'
        )
    return "\n".join([*parts, "</svg>"])
