"""One text in two forms: drop the plain twin of an HTML part if it says nothing more.

A mail program shows the HTML child of a multipart/alternative. The plain child is read as well
only where it holds words that the HTML does not show: then a reader may see either.

**Standards:** RFC 2046 §5.1.4.
**Failure:** never raises; in doubt both are kept.
"""

import re

from milter.mail.reading import Defect
from milter.read.leaf_text import LeafText
from milter.read.mime import Tree

# A twin may have so many words of its own ("View this mail in your browser" apart).
MAX_OWN_WORDS = 3

# A line as long as this is no chance part of other words.
_TELLING_CHARS = 20
_LOOK_AHEAD_CHARS = 4_000

_ALTERNATIVE = "multipart/alternative"
_NOT_WORDS = re.compile(r"https?://\S++|[\W\d_]++")


def without_twins(tree: Tree, texts: list[LeafText]) -> list[LeafText]:
    """The texts without plain twins of HTML."""
    html = [text for text in texts if text.is_html and Defect.HTML_NOT_ANALYSED not in text.defects]
    if not html or len(html) == len(texts):
        return texts
    above = _alternatives(tree)
    kept: list[LeafText] = []
    for text in texts:
        twin = (
            None
            if text.is_html
            else next(
                (other for other in html if above.get(other.part, -1) == above.get(text.part, -2)),
                None,
            )
        )
        if twin is None or _own_words(text.text, twin.text) > MAX_OWN_WORDS:
            kept.append(text)
    return kept


def _alternatives(tree: Tree) -> dict[str, int]:
    """For each leaf the innermost multipart/alternative around it."""
    around: list[int] = []
    found: dict[str, int] = {}
    for at, node in enumerate(tree.nodes):
        outer = around[node.parent] if node.parent >= 0 else -1
        around.append(at if node.part.media_type == _ALTERNATIVE and not node.is_leaf else outer)
        if node.is_leaf and outer >= 0:
            found[node.part.path] = outer
    return found


def _own_words(text: str, twin: str) -> int:
    """How many different words only `text` has."""
    twin = twin.casefold()
    rest = _unshared_lines(text.casefold(), twin)
    if not rest:
        return 0
    # Most of what is left is told by whole tokens, at a tenth of the cost of cutting out words.
    own = set(rest.split()) - set(twin.split())
    if len(own) <= MAX_OWN_WORDS:
        return len(own)
    words = _words(" ".join(own))
    return len(words - _words(twin)) if len(words) > MAX_OWN_WORDS else len(words)


def _unshared_lines(text: str, twin: str) -> str:
    """The lines that do not stand in the twin as they are, a little further on each time.

    Twins mostly say the same in the same order: this finds that at the cost of one look at each.
    """
    unshared: list[str] = []
    reached = 0
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith(("http://", "https://")):
            # Only what stands behind a link can be a word.
            line = line.partition(" ")[2]
            if not line:
                continue
        found = -1
        if len(line) >= _TELLING_CHARS:
            found = twin.find(line, reached, reached + _LOOK_AHEAD_CHARS)
        if found < 0:
            unshared.append(line)
        else:
            reached = found + len(line)
    return "\n".join(unshared)


def _words(text: str) -> set[str]:
    return set(_NOT_WORDS.sub(" ", text).split())
