"""The explanation on a terminal: tables and text by rich, from 60 columns on.

Nothing of the sender is markup or reaches the terminal as control: every string is a `Text` after
`marked`. Evidence carries its row's number; without colour also brackets. Failure: none.
"""

from collections.abc import Iterable, Iterator

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from milter.cli.explanation import Explanation, Row
from milter.cli.highlight import Passage, Piece, marked
from milter.mail.finding import Source

_STYLES = {"for": "bold red", "against": "bold green", "fact": "underline"}
_DIGITS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_ENTITY_COLUMNS = ("type", "text", "value", "platform", "where")
_QUOTE = 160
_NARROW = 100
_LINES_WITHOUT_EVIDENCE = 30
_LINES_AT_EDGES = 8


def render(explanation: Explanation, console: Console) -> None:
    """Print all of it."""
    for title, body in _sections(explanation, console):
        console.print(Text(f"\n{title}", style="bold underline"))
        console.print(body)


def _sections(explanation: Explanation, console: Console) -> Iterator[tuple[str, RenderableType]]:
    is_plain = not console.is_terminal or console.no_color
    narrow = console.width < _NARROW
    yield "Message", _pairs((("File", explanation.title), *explanation.facts))
    yield "Verdict", _verdict(explanation)
    if explanation.passages:
        yield "Text", _text(explanation, is_plain)
    if rows := explanation.side("for"):
        yield "Evidence for a lure", _rows(rows, narrow)
    if rows := explanation.side("against"):
        yield "Evidence against", _rows(rows, narrow)
    if rows := explanation.interactions:
        yield "Together", _rows(rows, narrow)
    yield "Sum", _sum(explanation)
    if rows := explanation.side("fact"):
        yield "Facts that weigh nothing here", Group(*map(_fact, rows))
    if explanation.entities:
        yield "Entities", _entities(explanation, narrow)
    yield "What was missing", Group(*(Text(f"- {marked(one)}") for one in explanation.missing))


def _pairs(pairs: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            table.add_row(Text(name), Text(marked(value)))
    return table


def _verdict(explanation: Explanation) -> RenderableType:
    verdict = explanation.verdict
    pairs = _pairs(
        (
            ("Disposition", f"{explanation.disposition} (rule: {', '.join(explanation.rules)})"),
            ("Label", verdict.label.value),
            ("Score", f"{verdict.score_db:+.1f} dB"),
            (
                "Probability",
                f"{explanation.likely} with a prior of {explanation.prior_db:g} dB",
            ),
            ("Families", ", ".join(verdict.families) or "none"),
            ("Language", verdict.language),
            ("Versions", ", ".join(f"{name} {value}" for name, value in verdict.versions)),
        )
    )
    needs = [
        Text(f"{'✓' if need.is_met else '✗'} {need.text}", style="" if need.is_met else "dim")
        for need in explanation.needs
    ]
    return Group(pairs, *needs)


def _text(explanation: Explanation, is_plain: bool) -> Group:
    sides = {row.number: row.side for row in explanation.rows}
    shown: list[RenderableType] = []
    for passage in explanation.passages:
        where = f", part {passage.part}" if passage.part else ""
        shown.append(Text(f"[{passage.source}{where}]", style="dim italic"))
        shown.append(Padding(_passage(passage, sides, is_plain), (0, 0, 0, 2)))
    return Group(*shown)


def _passage(passage: Passage, sides: dict[int, str], is_plain: bool) -> Text:
    text = Text(overflow="fold", style="dim" if passage.source is Source.QUOTED else "")
    pieces = passage.pieces
    for place, piece in enumerate(pieces):
        shown = piece.text
        if not piece.numbers:
            shown = _shortened(shown)
        if place == 0:
            shown = shown.lstrip("\n")
        if place == len(pieces) - 1:
            shown = shown.rstrip()
        if is_plain:
            text.append("[" * len(piece.starts))
        text.append(marked(shown), style=_style(piece, sides))
        if piece.ends:
            numbers = "·".join(str(number) for number in piece.ends).translate(_DIGITS)
            text.append("]" * len(piece.ends) * is_plain + numbers, style="bold")
    return text


def _style(piece: Piece, sides: dict[int, str]) -> str:
    found = {sides[number] for number in piece.numbers}
    return next((_STYLES[side] for side in ("for", "against", "fact") if side in found), "")


def _shortened(text: str) -> str:
    """A long stretch without evidence is shown by its ends."""
    lines = text.split("\n")
    if len(lines) <= _LINES_WITHOUT_EVIDENCE:
        return text
    left_out = len(lines) - 2 * _LINES_AT_EDGES
    gap = f"… {left_out} lines without evidence …"
    return "\n".join([*lines[:_LINES_AT_EDGES], gap, *lines[-_LINES_AT_EDGES:]])


def _rows(rows: Iterable[Row], narrow: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", expand=True, pad_edge=False)
    table.add_column("no", justify="right", no_wrap=True)
    table.add_column("dB", justify="right", no_wrap=True)
    if not narrow:
        table.add_column("finding", no_wrap=True)
        table.add_column("family", no_wrap=True)
    table.add_column("what and where", overflow="fold", ratio=1)
    for row in rows:
        finding = row.weighed.finding
        what = Text()
        if narrow:
            what.append(f"{finding.code} ", style="bold")
            what.append(f"{row.weighed.family}\n", style="dim")
        what.append(row.weighed.summary)
        if row.note:
            what.append(f" ({row.note})", style="italic")
        for evidence in finding.evidence:
            what.append(f"\n  {evidence.source}: ", style="dim")
            what.append(_quoted(evidence.text))
        cells: list[Text] = [
            Text(str(row.number) if row.number else ""),
            Text(f"{row.weighed.weight_db:+.1f}", style=_STYLES[row.side]),
        ]
        if not narrow:
            cells += [Text(finding.code, style="bold"), Text(row.weighed.family)]
        table.add_row(*cells, what)
    return table


def _quoted(text: str) -> str:
    cut = text[:_QUOTE] + (" …" if len(text) > _QUOTE else "")
    return f"“{marked(' '.join(cut.split()))}”"


def _sum(explanation: Explanation) -> Table:
    ledger = explanation.ledger
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for name, rows in (
        ("evidence for", ledger.evidence),
        ("evidence against", ledger.against),
        ("together", ledger.interactions),
    ):
        table.add_row(Text(name), Text(f"{sum(row.weight_db for row in rows):+.2f}"))
    for cap in ledger.caps:
        what = (
            f"{cap.family}: counts {cap.counted_db:+g} of {cap.sum_db:+g} ({', '.join(cap.codes)})"
        )
        table.add_row(Text(what), Text(f"{cap.correction_db:+.2f}"))
    table.add_row(Text("score", style="bold"), Text(f"{ledger.score_db:+.2f}", style="bold"))
    table.add_row(Text("prior"), Text(f"{explanation.prior_db:+.2f}"))
    table.add_row(
        Text(f"log-odds, that is {explanation.likely}"),
        Text(f"{explanation.log_odds_db:+.2f}"),
    )
    return table


def _fact(row: Row) -> Text:
    text = Text(f"{row.number:>2} {row.weighed.finding.code}", style="bold")
    text.append(f" {row.weighed.summary}", style="not bold")
    if row.note:
        text.append(f" ({row.note})", style="not bold italic")
    return text


def _entities(explanation: Explanation, narrow: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    names = ("type", "text", "value", "where") if narrow else _ENTITY_COLUMNS
    for name in names:
        table.add_column(name, overflow="fold")
    for entity in explanation.entities:
        where = f"{entity.source} {entity.part}".strip() + f" {entity.start}–{entity.end}"
        cells = {
            "type": entity.type,
            "text": entity.text,
            "value": entity.value,
            "platform": entity.platform,
            "where": where,
        }
        if narrow and entity.platform:
            cells["type"] += f" ({entity.platform})"
        table.add_row(*(Text(marked(" ".join(cells[name].split()))) for name in names))
    return table
