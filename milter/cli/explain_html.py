"""The explanation as one HTML page: no script, no network, nothing of the sender is markup.

The template escapes every value; the page's own policy forbids all but its one style sheet. Links
lead only within the page. Failure: none, whatever the message is like.

Standards: CSP Level 3 (meta element, hash of the style), WCAG 2.2 (contrast AA).
"""

import base64
import hashlib
from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from milter.cli.explanation import Explanation
from milter.cli.highlight import Passage, Piece, runs
from milter.mail.finding import Evidence

_SIDES = ("for", "against", "fact")


def as_page(explanation: Explanation) -> str:
    """The whole document."""
    # A row lights up its evidence when it is pointed at or jumped to; needs no script.
    lit = ",\n".join(
        f"body:has(#f{row.number}:is(:hover, :target)) .h{row.number}"
        for row in explanation.rows
        if row.number and row.weighed.finding.evidence
    )
    style = _text("explain.css") + (f"{lit} {{ outline: 2px solid var(--link); }}\n" if lit else "")
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    sides = {row.number: row.side for row in explanation.rows}

    def side_of(piece: Piece) -> str:
        found = {sides[number] for number in piece.numbers}
        return next(side for side in _SIDES if side in found)

    return _template().render(
        it=explanation,
        style=Markup(style),  # noqa: S704 - ours, and a row gives it nothing but its number
        style_hash=Markup(f"sha256-{digest}"),  # noqa: S704 - base64
        runs=runs,
        side_of=side_of,
        ids=_ids(explanation.passages),
        anchors=_anchors(explanation),
    )


def _ids(passages: tuple[Passage, ...]) -> dict[tuple[int, int], str]:
    """A name for every piece that some evidence begins at."""
    return {
        (place, at): f"m{place}-{at}"
        for place, passage in enumerate(passages)
        for at, piece in enumerate(passage.pieces)
        if piece.starts
    }


def _anchors(explanation: Explanation) -> dict[Evidence, str]:
    """Where each piece of evidence begins in the text; '' where it was not found there."""
    begins = {
        (passage.source, passage.part, passage.base + passage.offset(at)): f"m{place}-{at}"
        for place, passage in enumerate(explanation.passages)
        for at, piece in enumerate(passage.pieces)
        if piece.starts
    }
    return {
        one: begins.get((one.source, one.part, one.start), "")
        for row in explanation.rows
        for one in row.weighed.finding.evidence
    }


def _text(name: str) -> str:
    return (files("milter.cli") / name).read_text("utf-8")


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    return environment.from_string(_text("explain.html.jinja"))
