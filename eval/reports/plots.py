"""Plots of the report: a measure of each leg by group, with intervals, in light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from pes_search.eval.answers import Outcome, risk_coverage
from pes_search.eval.measures import LEVEL, Estimate
from pes_search.eval.retrieval import Leg
from pes_search.ingest.errors import PesSearchError

# Told apart by place and marker too; each colour has a contrast of 3:1 or more with the page behind it.
MARKERS: Mapping[Leg, str] = {"bm25": "s", "dense": "^", "hybrid": "o"}
LIGHT: Mapping[str, str] = {"page": "#ffffff", "ink": "#1a1a1a", "bm25": "#d55e00", "dense": "#0072b2", "hybrid": "#1a1a1a"}
DARK: Mapping[str, str] = {"page": "#161616", "ink": "#e8e8e8", "bm25": "#e69f00", "dense": "#56b4e9", "hybrid": "#e8e8e8"}
WIDTH, TOP_AND_BOTTOM, ROW = 7.0, 1.2, 0.42  # inches
SPREAD = 0.24  # between the legs of a group, whose distance is 1


@dataclass(frozen=True, slots=True)
class Group:
    """The questions of a slice or a language, and what each leg makes of them."""

    name: str
    questions: int
    legs: Mapping[Leg, Estimate]


@dataclass(frozen=True, slots=True)
class Plot:
    """An image in PNG format, for light and dark pages."""

    file: str
    alt: str
    light: bytes
    dark: bytes


def plot_groups(groups: Sequence[Group], measure: str, label: str, file: str) -> Plot:
    """Draw a row for each group, in the order given, with a point and an interval for each leg."""
    hybrid = sorted(groups, key=lambda group: group.legs["hybrid"].value)
    alt = (
        f"Plot of {measure} by {label} for {', '.join(groups[0].legs)}, with {LEVEL:.0%} intervals. Of the hybrid the lowest "
        f"is {hybrid[0].name} with {hybrid[0].legs['hybrid'].value:.3f}, the highest {hybrid[-1].name} with "
        f"{hybrid[-1].legs['hybrid'].value:.3f}. The table that follows has all figures."
    )
    return Plot(file, alt, _drawn(groups, measure, LIGHT), _drawn(groups, measure, DARK))


def _drawn(groups: Sequence[Group], measure: str, colours: Mapping[str, str]) -> bytes:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ink, page = colours["ink"], colours["page"]
    # Names come from a file: a `$` in them is no formula.
    with matplotlib.rc_context(
        {
            "text.color": ink,
            "axes.labelcolor": ink,
            "axes.edgecolor": ink,
            "xtick.color": ink,
            "ytick.color": ink,
            "figure.facecolor": page,
            "axes.facecolor": page,
            "savefig.facecolor": page,
            "text.parse_math": False,
            "font.size": 10,
        }
    ):
        figure = Figure(figsize=(WIDTH, TOP_AND_BOTTOM + ROW * len(groups)), dpi=144, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        legs = tuple(groups[0].legs)
        for number, leg in enumerate(legs):
            found = [group.legs[leg] for group in groups]
            axes.errorbar(
                [one.value for one in found],
                [row + SPREAD * (number - (len(legs) - 1) / 2) for row in range(len(groups))],
                xerr=[
                    [max(0.0, one.value - one.low) for one in found],
                    [max(0.0, one.high - one.value) for one in found],
                ],
                fmt=MARKERS[leg],
                color=colours[leg],
                label=leg,
                markersize=5,
                capsize=3,
                clip_on=False,
            )
        axes.set_yticks(range(len(groups)), [f"{group.name} (n = {group.questions})" for group in groups])
        axes.set_ylim(len(groups) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.set_xlabel(f"{measure}, mean and {LEVEL:.0%} interval")
        axes.grid(axis="x", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside upper center", ncols=len(legs), frameon=False)
        image = BytesIO()
        figure.savefig(image, format="png", metadata={"Software": None})
    return image.getvalue()


def risk_coverage_plot(found: Sequence[Outcome], suffix: str) -> bytes:
    """Draw the share of wrong answers by the share of questions answered, as SVG or PNG.

    Raises:
        PesSearchError: the suffix is neither `.svg` nor `.png`.
    """
    if suffix not in {".svg", ".png"}:
        raise PesSearchError(f"cannot draw {suffix!r}; name a file that ends in .svg or .png")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    curve = risk_coverage(found)
    figure = Figure(figsize=(6, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot([coverage for coverage, _, _ in curve], [risk for _, risk, _ in curve], color=LIGHT["dense"])
    answered = sum(not one.refused for one in found)
    if answered:
        coverage, risk, _ = curve[answered - 1]
        axes.plot([coverage], [risk], "o", color=LIGHT["bm25"], label="at the threshold")
        axes.legend(frameon=False)
    axes.set(
        xlabel="share of the questions answered", ylabel="share of these answers that is wrong", xlim=(0, 1), ylim=(0, None)
    )
    axes.spines[["top", "right"]].set_visible(False)
    file = BytesIO()
    figure.savefig(file, format=suffix[1:], dpi=150)
    return file.getvalue()
