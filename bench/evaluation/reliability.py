"""Whether what is said with a probability comes true so often: a table, and a picture beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.evaluation.shares import Bin, bins_of, brier, calibration_error
from bench.judged import Judged
from nlp.training.corpus import LURE_CLASSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Probabilities from one source, and what was so."""

    name: str
    probabilities: list[float]
    truth: list[bool]

    @property
    def bins(self) -> list[Bin]:
        """Ten of equal width."""
        return bins_of(self.probabilities, self.truth)


def said_of(judged: Sequence[Judged]) -> list[Said]:
    """What the verdict says of every mail, and the model of those that it read."""
    read = [
        (one.analysis.likeness, _is_true(one))
        for one in judged
        if one.analysis is not None and one.analysis.likeness is not None
    ]
    return [
        Said(
            name="verdict",
            probabilities=[one.verdict.probability for one in judged],
            truth=[_is_true(one) for one in judged],
        ),
        Said(name="model", probabilities=[one for one, _ in read], truth=[so for _, so in read]),
    ]


def _is_true(one: Judged) -> bool:
    return one.mail.mail_class in {*LURE_CLASSES, "SCAM"}


def section(said: Sequence[Said], picture: str) -> Iterator[str]:
    """A table for each source."""
    yield from (
        "## Reliability",
        "",
        "*Verdict*: the probability of every verdict, from its score and the prior that the weights",
        "table names. *Model*: how like a lure the trained model finds the whole, of the mails past",
        "the screen that it read. True is LURE_* or SCAM; all other classes are not. Ten bins of",
        "equal width: the mean of what was said, and the share that came true with Wilson's 95 %",
        "interval. Brier is the mean square of what was said less what was so; beside it, what always",
        "saying the share of true mails would have; *off* is the mean distance of the two columns,",
        "each bin by its mails. About half of these mails are true and of real mail next to nothing",
        "is: how well a probability holds here does not carry over to a mailbox.",
        "",
        f"![What was said against what came true]({picture})",
        "",
    )
    for one in said:
        if not one.truth:
            continue
        rate = sum(one.truth) / len(one.truth)
        yield (
            f"{one.name.capitalize()}: {len(one.truth)} mails, Brier "
            f"{brier(one.probabilities, one.truth):.3f} (always saying {rate:.2f}: "
            f"{rate * (1 - rate):.3f}), off {calibration_error(one.bins):.3f}."
        )
        yield ""
        yield "| bin | mean said | came true |"
        yield "|---|---|---|"
        for each in one.bins:
            if each.came_true.total:
                yield f"| {each.low:.1f}–{each.high:.1f} | {each.said:.2f} | {each.came_true} |"
            else:
                yield f"| {each.low:.1f}–{each.high:.1f} | – | – |"
        yield ""


def draw(said: Sequence[Said], path: Path) -> None:
    """The same as a picture."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        1,
        len(said),
        figsize=(4.6 * len(said), 4.4),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for place, one in zip(axes[0], said, strict=True):
        bins = [each for each in one.bins if each.came_true.total]
        shares = [each.came_true.value for each in bins]
        below = [each.came_true.value - each.came_true.interval[0] for each in bins]
        above = [each.came_true.interval[1] - each.came_true.value for each in bins]
        place.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1)
        place.errorbar(
            [each.said for each in bins], shares, yerr=(below, above), fmt="o-", capsize=3,
            color="#1f5a8a",
        )  # fmt: skip
        for each, share in zip(bins, shares, strict=True):
            place.annotate(
                str(each.came_true.total), (each.said, share), xytext=(6, -12),
                textcoords="offset points", fontsize=8,
            )  # fmt: skip
        place.set(title=one.name, xlabel="said", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes[0][0].set_ylabel("came true (with the number of mails)")
    # No date and no version inside: the same numbers are the same file.
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
