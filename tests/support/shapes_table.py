"""The tables of docs/banner.md: `python -m tests.support.shapes_table` writes them anew.

What became of the five thousand shapes, and of the torture mail beside the project (left as it
stands where that is absent). The proofs are tests/properties/test_edit_shapes.py and
test_edit_torture.py; this only counts.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from milter.act.banner_texts import LANGUAGES
from milter.act.plan import Acted
from milter.mail.edit import BannerOutcome
from tests.properties.test_edit_messages import act_as_read
from tests.support import corpora
from tests.support.shapes import Shape, shape

PAGE = Path(__file__).parents[2] / "docs" / "banner.md"
SHAPES = 5_000
_EDITS = [outcome for outcome in BannerOutcome if outcome.is_edit]


def of_shape(one: Shape) -> Acted:
    """What becomes of a shape, in the language that its number gives it."""
    return act_as_read(one.raw, LANGUAGES[one.number % len(LANGUAGES)])


def shapes_table() -> str:
    """Counted over all shapes."""
    due: Counter[bool | None] = Counter()
    missed = 0
    outcomes: Counter[BannerOutcome] = Counter()
    for number in range(SHAPES):
        one = shape(number)
        acted = of_shape(one)
        due[one.takes_banner] += 1
        missed += one.takes_banner is not None and acted.edits_body is not one.takes_banner
        outcomes[acted.banner] += 1
    return (
        f"Of {SHAPES:,} shapes {due[True]:,} are due a banner by the rules of their maker, "
        f"{due[False]:,} must not be touched,\nand {due[None]:,} may go either way. "
        f"Otherwise than due: {missed}.\n\n{_table(outcomes)}"
    )


def torture_table() -> str:
    """Counted over the torture mail."""
    outcomes: Counter[BannerOutcome] = Counter()
    for _, octets in corpora.torture():
        raw = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        outcomes[act_as_read(raw, "en").banner] += 1
    return f"Of {outcomes.total():,} torture messages:\n\n{_table(outcomes)}"


def _table(outcomes: Counter[BannerOutcome]) -> str:
    total = outcomes.total()
    edited = sum(outcomes[outcome] for outcome in _EDITS)
    rows = ["| became of it | messages | share |", "|---|---|---|"]
    rows.append(f"| a banner is in | {edited:,} | {edited / total:.1%} |")
    rows += (
        f"| {'which is' if outcome.is_edit else 'headers only:'} `{outcome}` | {count:,} | {count / total:.1%} |"
        for outcome, count in _ordered(outcomes)
    )
    return "\n".join(rows)


def _ordered(outcomes: Counter[BannerOutcome]) -> Iterable[tuple[BannerOutcome, int]]:
    return sorted(outcomes.items(), key=lambda item: (not item[0].is_edit, -item[1], item[0]))


def between(page: str, name: str) -> tuple[int, int]:
    """Where a table stands."""
    begin, end = f"<!-- {name}: begin -->\n", f"\n<!-- {name}: end -->"
    return page.index(begin) + len(begin), page.index(end)


def main() -> None:
    """Write what can be counted here."""
    page = PAGE.read_text(encoding="utf-8")
    tables = {"shapes": shapes_table}
    if reason := corpora.why_not():
        print(f"the table of torture mail stays as it is: {reason}", file=sys.stderr)
    else:
        tables["torture"] = torture_table
    for name, table in tables.items():
        start, end = between(page, name)
        page = page[:start] + table() + page[end:]
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
