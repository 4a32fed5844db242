"""Draws one chart: a JSON drawing on stdin, a PNG on stdout. A program of its own.

It is started with limits by `picture`, so that what a drawing library may do wrong costs no bot.
Knows nothing of staffbot and imports nothing of it, so that it starts quickly.
"""

from __future__ import annotations

import contextlib
import json
import math
import resource
import sys
from typing import Any

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

# Told apart by lightness, so also in grey and without seeing red from green.
DARK, LIGHT, ACCENT = "#174a6e", "#a9c6da", "#c25a00"
INK, SOFT, GRID = "#1d2733", "#5d6b79", "#dfe5ea"
_MEMORY = 2 * 1024**3
_DPI = 160


def main() -> None:
    """Read, draw, write."""
    _limit()
    rcParams.update(
        {
            "font.family": "DejaVu Sans", "font.size": 10, "text.color": INK,
            # A team may be called "$$$"; that is no formula.
            "text.parse_math": False,
            "axes.edgecolor": GRID, "axes.labelcolor": SOFT, "xtick.color": SOFT,
            "ytick.color": SOFT, "axes.spines.top": False, "axes.spines.right": False,
            "axes.spines.left": False, "ytick.major.size": 0, "xtick.major.size": 0,
        }
    )  # fmt: skip
    figure = drawn(json.load(sys.stdin))
    FigureCanvasAgg(figure)
    figure.savefig(sys.stdout.buffer, format="png", dpi=_DPI, facecolor="white")


def _limit() -> None:
    # macOS has the limit but refuses to set it; the time limit of whoever started this still holds.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def drawn(drawing: dict[str, Any]) -> Figure:
    """The drawing as a figure."""
    return _over_time(drawing) if drawing["over_time"] else _side_by_side(drawing)


# --- over time ----------------------------------------------------------------------------------


def _over_time(drawing: dict[str, Any]) -> Figure:
    lower = drawing["line"] is not None
    height = 5.4 if lower else 3.7
    figure = Figure(figsize=(8, height))
    if lower:
        upper_axes, lower_axes = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 2], "hspace": 0.34}
        )
    else:
        upper_axes, lower_axes = figure.subplots(), None
    figure.subplots_adjust(left=0.075, right=0.975, top=1 - 1.05 / height, bottom=0.42 / height)
    _titles(figure, drawing)
    _bars(upper_axes, drawing)
    if lower_axes is not None:
        _line(lower_axes, drawing)
        upper_axes.tick_params(labelbottom=False)
    _dates(lower_axes or upper_axes, drawing["labels"])
    return figure


def _titles(figure: Figure, drawing: dict[str, Any]) -> None:
    inch = 1 / figure.get_figheight()
    figure.text(
        0.02, 1 - 0.16 * inch, drawing["title"], size=13, weight="bold", va="top", ha="left"
    )
    figure.text(0.02, 1 - 0.44 * inch, drawing["subtitle"], size=9.5, color=SOFT, va="top")


def _bars(axes: Axes, drawing: dict[str, Any]) -> None:
    first, second = drawing["bars"]
    places = range(len(drawing["labels"]))
    axes.bar(places, first["values"], width=0.82, color=LIGHT, zorder=2)
    axes.bar(places, second["values"], width=0.44, color=DARK, zorder=3)
    _ground(axes, max([*first["values"], *second["values"], 1]))
    _key(axes, [(LIGHT, first["label"], "s"), (DARK, second["label"], "s")])


def _line(axes: Axes, drawing: dict[str, Any]) -> None:
    line = drawing["line"]
    values = [math.nan if value is None else value for value in line["values"]]
    # A gap where there are too few to say: a line through it would say something all the same.
    axes.plot(
        range(len(values)), values, color=DARK, linewidth=1.8, marker="o", markersize=5,
        markerfacecolor="white", markeredgewidth=1.8, zorder=3,
    )  # fmt: skip
    highest = max(value for value in values if not math.isnan(value))
    key = [(DARK, line["label"], "o")]
    if line["target"] is not None:
        axes.axhline(line["target"], color=ACCENT, linewidth=1.5, linestyle=(0, (5, 3)), zorder=2)
        highest = max(highest, line["target"])
        key.append((ACCENT, line["target_label"], "--"))
    _ground(axes, highest)
    _key(axes, key)


def _ground(axes: Axes, highest: float) -> None:
    axes.set_ylim(0, highest * 1.12)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.locator_params(axis="y", nbins=5, integer=highest >= 4 or highest == int(highest))


def _key(axes: Axes, entries: list[tuple[str, str, str]]) -> None:
    """What each colour and mark means, in words above the axes."""
    handles = []
    for color, label, mark in entries:
        if mark == "s":
            handles.append(Line2D([], [], color=color, linestyle="", marker="s", markersize=8))
        elif mark == "o":
            handles.append(
                Line2D(
                    [], [], color=color, linewidth=1.8, marker="o", markersize=5,
                    markerfacecolor="white", markeredgewidth=1.8,
                )
            )  # fmt: skip
        else:
            handles.append(Line2D([], [], color=color, linewidth=1.5, linestyle=(0, (5, 3))))
        handles[-1].set_label(label)
    squares = all(mark == "s" for _, _, mark in entries)
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(-0.008, 1.0), ncols=len(entries),
        frameon=False, fontsize=9.5, borderpad=0.1, handletextpad=0.5, columnspacing=1.6,
        labelcolor=INK, handlelength=0.9 if squares else 2.2,
    )  # fmt: skip


def _dates(axes: Axes, labels: list[str]) -> None:
    """As many labels as can be read, the last one always among them."""
    step = max(1, -(-len(labels) // 10))
    places = list(range(len(labels) - 1, -1, -step))[::-1]
    axes.set_xticks(places, [labels[place] for place in places], fontsize=9)
    axes.set_xlim(-0.7, max(len(labels), 4) - 0.3)


# --- side by side -------------------------------------------------------------------------------


def _side_by_side(drawing: dict[str, Any]) -> Figure:
    labels, bars = drawing["labels"], drawing["bars"]
    height = 1.25 + 0.52 * max(len(labels), 2)
    figure = Figure(figsize=(8, height))
    _titles(figure, drawing)
    axes = figure.subplots()
    longest = max((len(label) for label in labels), default=0)
    figure.subplots_adjust(
        left=min(0.36, 0.045 + 0.0115 * longest), right=0.965, top=1 - 1.0 / height,
        bottom=0.12 / height,
    )  # fmt: skip
    places = list(range(len(labels)))
    shades = [DARK] if len(bars) == 1 else [LIGHT, DARK]
    thick = 0.6 if len(bars) == 1 else 0.38
    highest = max([value for bar in bars for value in bar["values"]] + [1])
    for turn, (bar, shade) in enumerate(zip(bars, shades, strict=True)):
        shift = 0.0 if len(bars) == 1 else (turn - 0.5) * 0.4
        axes.barh([p + shift for p in places], bar["values"], height=thick, color=shade, zorder=2)
        for place, value, note in zip(places, bar["values"], bar["notes"], strict=True):
            axes.text(
                value + highest * 0.012, place + shift, note, va="center", size=8.5, color=INK
            )
    axes.set_yticks(places, labels, fontsize=10, color=INK)
    axes.set_ylim(len(labels) - 0.45, -0.55)
    axes.set_xlim(0, highest * 1.3)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    _key(axes, [(shade, bar["label"], "s") for shade, bar in zip(shades, bars, strict=True)])
    return figure


if __name__ == "__main__":
    main()
