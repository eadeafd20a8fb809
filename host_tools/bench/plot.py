# SPDX-License-Identifier: MIT
"""docs/growth.svg: one small picture for each curve of the bench, with both axes logarithmic, so that what grows with its
input is a straight line along the dashed one, and what is constant is level."""

import math
from html import escape

WIDTH, HEIGHT, COLUMNS = 420, 260, 2
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 40, 44
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#444}.title{font-weight:600;fill:#111}.grid{stroke:#ddd}"
    ".linear{stroke:#999;stroke-dasharray:4 4}.line{fill:none;stroke:#0b62a4;stroke-width:2}.point{fill:#0b62a4}"
)


def draw(curves):
    """The SVG text of these curves (host_tools.bench.measure.Curve, all numbers above 0)."""
    rows = -(-len(curves) // COLUMNS)
    width, height = WIDTH * min(COLUMNS, len(curves)), HEIGHT * rows
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="How time and memory grow"><style>{_STYLE}</style>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for index, curve in enumerate(curves):
        x, y = index % COLUMNS * WIDTH, index // COLUMNS * HEIGHT
        parts += [f'<g transform="translate({x} {y})">', *_picture(curve), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _picture(curve):
    xs, ys = [x for x, _ in curve.points], [y for _, y in curve.points]
    across = _scale(xs[0], xs[-1], LEFT, WIDTH - RIGHT)
    # At least as high as it is wide, so that a level line looks level; proportional growth then is the diagonal.
    spread = max(max(ys) / min(ys), max(xs) / min(xs))
    middle = math.sqrt(max(ys) * min(ys))
    low, high = middle / math.sqrt(spread) / 1.15, middle * math.sqrt(spread) * 1.15
    up = _scale(low, high, HEIGHT - BOTTOM, TOP)
    parts = [f'<text class="title" x="{LEFT}" y="20">{escape(curve.name)}</text>']
    for value in xs:
        parts.append(
            f'<line class="grid" x1="{across(value)}" x2="{across(value)}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        )
        parts.append(_text(across(value), HEIGHT - BOTTOM + 16, _short(value), "middle"))
    for value in _ticks(low, high):
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(value)}" y2="{up(value)}"/>')
        parts.append(_text(LEFT - 6, up(value) + 4, _short(value), "end"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, curve.x_unit, "middle"))
    parts.append(_text(LEFT, TOP - 6, curve.y_unit, "start"))
    end = ys[0] * xs[-1] / xs[0]
    if low <= end <= high * 1.01:
        parts.append(
            f'<line class="linear" x1="{across(xs[0])}" y1="{up(ys[0])}" x2="{across(xs[-1])}" y2="{up(end)}"/>'
        )
    path = " ".join(f"{across(x)},{up(y)}" for x, y in curve.points)
    parts.append(f'<polyline class="line" points="{path}"/>')
    parts += [f'<circle class="point" cx="{across(x)}" cy="{up(y)}" r="3"/>' for x, y in curve.points]
    return parts


def _scale(low, high, start, end):
    """A function from values between `low` and `high` to places between `start` and `end`, by their logarithms."""
    span = math.log(high / low) or 1.0
    return lambda value: round(start + (end - start) * math.log(value / low) / span, 1)


def _ticks(low, high):
    """Round numbers between `low` and `high`: 1, 2 and 5 of each power of ten, or the powers alone where that is enough."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    found = [value for value in found if low <= value <= high]
    return found if len(found) <= 6 else [value for value in found if f"{value:e}"[0] == "1"]


def _short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _text(x, y, words, anchor):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'
