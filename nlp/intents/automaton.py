"""A lazy automaton over a trie of terms: a walk costs one look-up per character.

States are sets of places in the trie, found when a text first leads there and kept; tails (`*`),
gaps (`~`) and links between groups are resolved on the way, so hostile text cannot make a walk
branch. What is kept is bounded: beyond that it is forgotten and found again.

Failure: none.
"""

from typing import Any, NamedTuple

from nlp.intents.terms import END, GAP, LINKS, WORD_TAIL, Trie

_MAX_STATES = 40_000
_GAP_WORDS = 2
_GAP_CHARACTERS = 4
_UNSPACED_FIRST, _UNSPACED_LAST = "\u3040", "\uf8ff"
_TOKENS_FROM = "\ue000"
_STOPS = frozenset("。！？；，、：,.!?;:\n")

_AT, _TAIL, _EDGE, _START, _WORD, _CHARACTERS = range(6)


class Place(NamedTuple):
    """A place in the trie: at a node, in a word's tail, or in a gap before the node `key`."""

    kind: int
    key: int
    left: int = 0


class State:
    """A set of places, the concepts of the terms that end here, and the steps known so far."""

    __slots__ = ("concepts", "following", "places")

    def __init__(self, places: frozenset[Place], concepts: tuple[str, ...]) -> None:
        self.places = places
        self.concepts = concepts
        self.following: dict[str, State | None] = {}


class Automaton:
    """Follows texts through one trie. A run of blanks or hyphens is the single step ' '."""

    def __init__(self, trie: Trie) -> None:
        self._nodes: dict[int, dict[str, Any]] = {}
        self._root = trie
        self._states: dict[frozenset[Place], State] = {}
        self.start = self._fresh_start()

    def _fresh_start(self) -> State:
        self._states.clear()
        return self._state(self._close(self._root, " "))

    def step(self, state: State, char: str) -> State | None:
        """The state after `char`, None if no term goes on; remembered in `state.following`."""
        if len(self._states) > _MAX_STATES:
            self.start = self._fresh_start()
        places: set[Place] = set()
        blank = char == " "
        word_char = not blank and (char.isalnum() or char == "'" or char >= _TOKENS_FROM)
        for place in state.places:
            self._step_from(place, char, blank, word_char, places)
        following = self._state(frozenset(places)) if places else None
        state.following[char] = following
        return following

    def _step_from(
        self, place: Place, char: str, blank: bool, word_char: bool, places: set[Place]
    ) -> None:
        kind, key, left = place
        if kind == _AT:
            if (node := self._nodes[key].get(char)) is not None:
                places |= self._close(node, char)
        elif kind == _TAIL:
            if word_char:
                places.add(place)
                places |= self._close(self._nodes[key], char)
        elif kind == _EDGE:
            if blank:
                places |= self._gap_start(key, left)
        elif kind == _START:
            if word_char and left:
                places.add(Place(_WORD, key, left - 1))
        elif kind == _WORD:
            if blank:
                places |= self._gap_start(key, left)
            elif word_char:
                places.add(place)
        elif left and char not in _STOPS:
            places.add(Place(_CHARACTERS, key, left - 1))
            places |= self._close(self._nodes[key], char)

    def _gap_start(self, key: int, left: int) -> set[Place]:
        return {Place(_START, key, left), *self._close(self._nodes[key], " ")}

    def _close(self, node: Trie, before: str) -> set[Place]:
        """Where one is at `node` after the character `before`, links, tails and gaps resolved."""
        places: set[Place] = set()
        waiting = [node]
        while waiting:
            node = waiting.pop()
            place = Place(_AT, id(node))
            if place in places:
                continue
            self._nodes[id(node)] = node
            places.add(place)
            waiting += node.get(LINKS, ())
            if (tail := node.get(WORD_TAIL)) is not None:
                self._nodes[id(tail)] = tail
                places.add(Place(_TAIL, id(tail)))
                waiting.append(tail)
            unspaced = is_unspaced(before) and before < _TOKENS_FROM
            if (gap := node.get(GAP)) is not None:
                self._nodes[id(gap)] = gap
                if unspaced:
                    places.add(Place(_CHARACTERS, id(gap), _GAP_CHARACTERS))
                    waiting.append(gap)
                elif before == " ":
                    places.add(Place(_START, id(gap), _GAP_WORDS))
                    waiting.append(gap)
                else:
                    places.add(Place(_EDGE, id(gap), _GAP_WORDS))
            if unspaced and (blank := node.get(" ")) is not None:
                waiting.append(blank)  # Hangul is written with or without it
        return places

    def _state(self, places: set[Place] | frozenset[Place]) -> State:
        places = frozenset(places)
        state = self._states.get(places)
        if state is None:
            concepts = {
                concept
                for kind, key, _ in places
                if kind == _AT
                for concept in self._nodes[key].get(END, ())
            }
            state = self._states[places] = State(places, tuple(sorted(concepts)))
        return state


def is_unspaced(char: str) -> bool:
    """Han, kana, Hangul and masked tokens: words of one character, without borders."""
    return _UNSPACED_FIRST <= char <= _UNSPACED_LAST
