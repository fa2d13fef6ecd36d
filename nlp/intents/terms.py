"""Word lists as tries: the notation of `lexicon/intents/*.toml`, read once per process.

One term per line or between bars. `{a,b,}` stands for each of its choices, `word*` for the word
with any ending, a blank for blanks or hyphens, `~` for up to two words of any kind, `*stem` for a
stem inside a word (compounds), `<handle>` for a masked token.

A trie is plain nested dictionaries: a walk costs the length of the longest term, whatever the text.
Failure: a term that cannot be read is our own bug and raises ValueError when the list is loaded.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from nlp import lexicon
from nlp.folding import fold
from nlp.masking import TOKENS

END: Final = ""
WORD_TAIL: Final = "*"
GAP: Final = "~"
LINKS: Final = "\n"
Trie = dict[str, Any]

_MASK = re.compile(r"<(\w+)>")
_TERM_BREAK = re.compile(r"[\n|]")
_SPACES = re.compile(r"[ \-]+")
# Folding blanks out "*" and "~" of texts; those of the notation are set aside meanwhile.
_KEPT = {ord(WORD_TAIL): "\x01", ord(GAP): "\x02"}
_RESTORED = {1: WORD_TAIL, 2: GAP}


@dataclass(frozen=True, slots=True, kw_only=True)
class WordList:
    """The concepts of one language. `inner` holds the terms that stand inside words."""

    language: str
    outer: Trie
    inner: Trie
    concepts: frozenset[str]


@lru_cache(maxsize=16)
def word_list(language: str) -> WordList:
    """The list of `language`, a file name under lexicon/intents."""
    concepts = lexicon.read(f"intents/{language}")["concepts"]
    outer: Trie = {}
    inner: Trie = {}
    for concept, terms in concepts.items():
        for term in _TERM_BREAK.split(terms):
            if term := term.strip():
                _add_term(inner if term.startswith(WORD_TAIL) else outer, term, concept)
    return WordList(language=language, outer=outer, inner=inner, concepts=frozenset(concepts))


def _add_term(trie: Trie, term: str, concept: str) -> None:
    """Write one term into the trie. A group of choices that goes on links to one continuation."""
    if term.count("{") != term.count("}"):
        raise ValueError(f"unbalanced braces: {term}")
    spelt = _spelt(term.removeprefix(WORD_TAIL))
    ends = _extend([trie], spelt)
    if any(node is trie for node in ends):
        raise ValueError(f"a term of {concept} may be empty: {term}")
    for node in ends:
        node[END] = tuple(dict.fromkeys((*node.get(END, ()), concept)))


def _extend(nodes: list[Trie], spelt: str) -> list[Trie]:
    """The nodes in which `spelt` ends if it begins in `nodes`."""
    while spelt:
        opening = spelt.find("{")
        plain = spelt if opening < 0 else spelt[:opening]
        if plain:
            if len(nodes) > 1:
                nodes = [_joined(nodes)]
            nodes = [_walk_in(nodes[0], plain)]
        if opening < 0:
            break
        closing = _closing(spelt, opening)
        choices = _choices(spelt[opening + 1 : closing])
        if len(nodes) > 1:
            nodes = [_joined(nodes)]
        ends = [end for choice in choices for end in _extend(nodes, choice)]
        nodes = list({id(end): end for end in ends}.values())
        spelt = spelt[closing + 1 :]
    return nodes


def _joined(nodes: list[Trie]) -> Trie:
    """A fresh node that every one of `nodes` leads on to."""
    following: Trie = {}
    for node in nodes:
        node[LINKS] = (*node.get(LINKS, ()), following)
    return following


def _walk_in(node: Trie, plain: str) -> Trie:
    before = ""
    for char in plain:
        if not (char == " " and before in (GAP, " ")):
            node = node.setdefault(char, {})
        before = char
    return node


def _closing(spelt: str, opening: int) -> int:
    depth = 0
    for position in range(opening, len(spelt)):
        depth += {"{": 1, "}": -1}.get(spelt[position], 0)
        if not depth:
            return position
    raise ValueError(f"unbalanced braces: {spelt}")


def _choices(group: str) -> list[str]:
    choices = [""]
    depth = 0
    for char in group:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and not depth:
            choices.append("")
        else:
            choices[-1] += char
    return choices


def _spelt(term: str) -> str:
    """A term folded as texts are; the marks of the notation stay."""
    with_tokens = _MASK.sub(lambda mask: TOKENS[mask[1]], term)
    kept = with_tokens.translate(_KEPT)
    return _SPACES.sub(" ", fold(kept.lower()).translate(_RESTORED))
