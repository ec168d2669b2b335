"""Plots of the report: a measure of each retriever by group, with intervals, in light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from pes_search.eval.answers import Outcome, risk_coverage
from pes_search.eval.measures import LEVEL, Estimate
from pes_search.eval.retrieval import Retriever
from pes_search.ingest.errors import PesSearchError

# Told apart by place and marker too; each colour has a contrast of 3:1 or more with the page behind it.
MARKERS: Mapping[Retriever, str] = {"bm25": "s", "dense": "^", "hybrid": "o"}
LIGHT: Mapping[str, str] = {"page": "#ffffff", "ink": "#1a1a1a", "bm25": "#d55e00", "dense": "#0072b2", "hybrid": "#1a1a1a"}
DARK: Mapping[str, str] = {"page": "#161616", "ink": "#e8e8e8", "bm25": "#e69f00", "dense": "#56b4e9", "hybrid": "#e8e8e8"}
WIDTH_INCHES, TOP_AND_BOTTOM_INCHES, ROW_INCHES = 7.0, 1.2, 0.42
RETRIEVER_SPREAD_ROWS = 0.24  # between the retrievers of a group; a group has one row


@dataclass(frozen=True, slots=True)
class Group:
    """The questions of a slice or a language, and what each retriever makes of them."""

    name: str
    questions: int
    estimates: Mapping[Retriever, Estimate]


@dataclass(frozen=True, slots=True)
class Plot:
    """An image in PNG format, for light and dark pages."""

    file: str
    alt: str
    light: bytes
    dark: bytes


def plot_groups(groups: Sequence[Group], measure: str, label: str, file: str) -> Plot:
    """Draw a row for each group, in the order given, with a point and an interval for each retriever."""
    hybrid = sorted(groups, key=lambda group: group.estimates["hybrid"].value)
    alt = (
        f"Plot of {measure} by {label} for {', '.join(groups[0].estimates)}, with {LEVEL:.0%} intervals. Of the hybrid the "
        f"lowest is {hybrid[0].name} with {hybrid[0].estimates['hybrid'].value:.3f}, the highest {hybrid[-1].name} with "
        f"{hybrid[-1].estimates['hybrid'].value:.3f}. The table that follows has all figures."
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
        figure = Figure(figsize=(WIDTH_INCHES, TOP_AND_BOTTOM_INCHES + ROW_INCHES * len(groups)), dpi=144, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        retrievers = tuple(groups[0].estimates)
        for number, retriever in enumerate(retrievers):
            estimates = [group.estimates[retriever] for group in groups]
            axes.errorbar(
                [estimate.value for estimate in estimates],
                [row + RETRIEVER_SPREAD_ROWS * (number - (len(retrievers) - 1) / 2) for row in range(len(groups))],
                xerr=[
                    [max(0.0, estimate.value - estimate.low) for estimate in estimates],
                    [max(0.0, estimate.high - estimate.value) for estimate in estimates],
                ],
                fmt=MARKERS[retriever],
                color=colours[retriever],
                label=retriever,
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
        figure.legend(loc="outside upper center", ncols=len(retrievers), frameon=False)
        image = BytesIO()
        figure.savefig(image, format="png", metadata={"Software": None})
    return image.getvalue()


def risk_coverage_plot(results: Sequence[Outcome], suffix: str) -> bytes:
    """Draw the share of wrong answers by the share of questions answered, as SVG or PNG.

    Raises:
        PesSearchError: the suffix is neither `.svg` nor `.png`.
    """
    if suffix not in {".svg", ".png"}:
        raise PesSearchError(f"cannot draw {suffix!r}; name a file that ends in .svg or .png")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    curve = risk_coverage(results)
    figure = Figure(figsize=(6, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot([coverage for coverage, _, _ in curve], [risk for _, risk, _ in curve], color=LIGHT["dense"])
    answered = sum(not outcome.refused for outcome in results)
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
