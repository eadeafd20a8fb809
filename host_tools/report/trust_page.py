# SPDX-License-Identifier: MIT
"""The page about one boot: the chain of trust as a picture, and each decision in words."""

from host_tools.report.frame import page as framed
from host_tools.report.frame import text

_WIDTH, _ROW, _BOX, _HEIGHT = 900, 96, 250, 64
_COLOURS = {"accepted": "var(--good)", "refused": "var(--bad)"}
#: Reason -> what the phone found where it looked.
FOUND = {
    "signed-by-itl": "in the installed ITL",
    "signed-by-ctl": "in the installed CTL",
    "unchanged": "the list it has already",
    "first-use": "nothing installed yet",
    "not-found": "no server has the file",
}


def page(result):
    """HTML of a result of preflight (host_tools/cli/preflight_boot.py)."""
    device = result["device"]
    where = f" from {result['server']}" if "server" in result else ""
    word = "accepts everything" if result["accepted"] else "refuses or misses a file"
    rows = "".join(_row(decision) for decision in result["decisions"])
    body = f"""<h1>{text(device)} boots{text(where)}</h1>
<p>The phone <span class="word {"accepted" if result["accepted"] else "refused"}">{word}</span>
and is then in {text(result["mode"])} mode.</p>
{picture(result)}
<h2>What it decides, and why</h2>
<table><tr><th>File or server</th><th>Outcome</th><th>Why, and what to do</th></tr>{rows}</table>"""
    return framed(f"{device}: chain of trust", body)


def _row(decision):
    warnings = "".join(f'<p class="unchanged">Warning: {text(warning)}</p>' for warning in decision["warnings"])
    signer = decision["evidence"].get("signer")
    who = f'<p class="note">Signer: {text(signer["subject"])}, serial {text(signer["serial"])}</p>' if signer else ""
    outcome = decision["outcome"]
    return (
        f'<tr><td>{text(decision["kind"])}</td><td class="word {text(outcome)}">{text(outcome)}<br>'
        f'<span class="note">{text(decision["reason"])}</span></td><td>{text(decision["text"])}{who}{warnings}</td></tr>'
    )


def picture(result):
    """SVG: for each decision the file, its signer, and where the phone found the signer."""
    decisions = result["decisions"]
    height = _ROW * len(decisions) + 40
    parts = [
        f'<svg id="chain" role="img" aria-label="Chain of trust" viewBox="0 0 {_WIDTH} {height}" '
        'xmlns="http://www.w3.org/2000/svg">'
    ]
    for column, title in enumerate(("What is offered", "Who signed it", "Where the phone looked")):
        parts.append(f'<text x="{_left(column)}" y="20" font-weight="600">{title}</text>')
    for number, decision in enumerate(decisions):
        parts += _chain(decision, 34 + number * _ROW)
    return "\n".join([*parts, "</svg>"])


def _chain(decision, top):
    evidence = decision["evidence"]
    signer = evidence.get("signer")
    colour = _COLOURS.get(decision["outcome"], "var(--maybe)")
    yield _box(0, top, colour, decision["kind"], f"{decision['outcome']}: {decision['reason']}")
    if signer:
        yield _arrow(0, top, colour)
        yield _box(1, top, colour, _common_name(signer["subject"]), f"serial {signer['serial']}")
        yield _arrow(1, top, colour)
    yield _box(2 if signer else 1, top, colour, *_looked(decision["reason"], evidence))
    if not signer:
        yield _arrow(0, top, colour)


def _looked(reason, evidence):
    tvs = evidence.get("tvs")
    if tvs:
        said = tvs.get("text") or tvs.get("status", "")
        return f"TVS {tvs['server']}" if tvs.get("server") else "TVS", said
    found = FOUND.get(reason)
    return ("installed trust lists", found) if found else ("the phone's rules", reason)


def _left(column):
    return 10 + column * (_BOX + 65)


def _box(column, top, colour, title, below):
    left = _left(column)
    return (
        f"<g><title>{text(title)}: {text(below)}</title>"
        f'<rect x="{left}" y="{top}" width="{_BOX}" height="{_HEIGHT}" rx="8" fill="var(--soft)" stroke="{colour}" '
        f'stroke-width="2"/><text x="{left + 12}" y="{top + 26}" font-weight="600">{text(_fit(title, 32))}</text>'
        f'<text class="small" x="{left + 12}" y="{top + 47}">{text(_fit(below, 40))}</text></g>'
    )


def _arrow(column, top, colour):
    start, y = _left(column) + _BOX, top + _HEIGHT // 2
    end = _left(column + 1)
    return f'<path d="M{start} {y}H{end - 2}m-9 -6l9 6l-9 6" fill="none" stroke="{colour}" stroke-width="2"/>'


def _fit(words, size):
    return words if len(words) <= size else words[: size - 1] + "…"


def _common_name(subject):
    return next((part[3:] for part in subject.split(",") if part.startswith("CN=")), subject)
