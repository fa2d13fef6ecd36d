"""The parts of a message that are no text, and the images that its HTML holds in itself.

Sniffs each part by a few decoded octets, lets `carried` read those it knows, the cheap ones first,
so that a crowd of pictures costs no document its reading, and says which were not looked into.

**Standards:** RFC 2045 §6 (transfer encodings), RFC 2046 §5.2 (attached messages).
**Failure:** never raises because of content.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from milter.mail.finding import Source
from milter.read.carried.budget import MAX_PART_OCTETS, Budget
from milter.read.carried.carrier import Carried
from milter.read.carried.kinds import DEAR, HEAD_OCTETS, Kind, kind_of
from milter.read.carried.reader import File, read_carried
from milter.read.decode import decode_transfer
from milter.read.leaf_text import LeafText
from milter.read.mime import Node

# Quoted-printable makes three octets of one.
_MOST_TRANSFERRED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opaque:
    """A part of a format that can be read."""

    node: Node
    kind: Kind

    def cost(self) -> tuple[bool, int]:
        """What to read first."""
        return self.kind in DEAR, self.node.part.body_end - self.node.part.body_start

    def least_octets(self) -> int:
        """How large the file is at least, without decoding it."""
        part = self.node.part
        expansion = {"base64": 1.4, "quoted-printable": 3.1}.get(part.encoding, 1.0)
        return int((part.body_end - part.body_start) / expansion)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """What was read, in the order of the message, and the parts that were not, or not whole."""

    carried: tuple[Carried, ...] = ()
    uninspected: tuple[str, ...] = ()


def read_attachments(
    raw: bytes, nodes: Sequence[Node], texts: Sequence[LeafText], *, banner_key: bytes, chars: int
) -> Attachments:
    """Read the parts `nodes`, which hold no text, and the images in the HTML of `texts`.

    `chars` is how much text the message may still give.
    """
    if not nodes and not any(text.images for text in texts):
        return Attachments()
    budget = Budget.of_message(chars)
    known = [
        _Opaque(node=node, kind=kind) for node in nodes if (kind := _kind(raw, node)) is not None
    ]
    found: dict[str, Carried] = {}
    for opaque in sorted(known, key=_Opaque.cost):
        part = opaque.node.part
        if opaque.least_octets() > MAX_PART_OCTETS:
            continue
        octets, _ = decode_transfer(raw[part.body_start : part.body_end], part.encoding)
        found[part.path] = read_carried(
            [File(octets, part.media_type, part.filename)],
            part=part.path,
            source=_source(opaque),
            budget=budget,
            banner_key=banner_key,
        )
    in_order = [found[node.part.path] for node in nodes if node.part.path in found]
    # The code in a picture of HTML counts as one in an attached picture that the HTML shows.
    pictures = [
        read_carried(
            [File(image) for image in text.images],
            part=text.part,
            source=Source.ATTACHMENT,
            budget=budget,
            banner_key=banner_key,
        )
        for text in texts
        if text.images
    ]
    unknown = [node.part.path for node in nodes if node.part.path not in found]
    incomplete = {each.part for each in (*in_order, *pictures) if not each.complete}
    paths = [node.part.path for node in nodes] + [text.part for text in texts]
    return Attachments(
        carried=(*in_order, *pictures),
        uninspected=tuple(path for path in paths if path in incomplete or path in unknown),
    )


def _kind(raw: bytes, node: Node) -> Kind | None:
    part = node.part
    is_base64 = part.encoding == "base64"
    most = HEAD_OCTETS * 3 // 2 if is_base64 else HEAD_OCTETS * _MOST_TRANSFERRED
    head = raw[part.body_start : min(part.body_end, part.body_start + most)]
    if is_base64:
        # Cut between two groups: what ends within one is decoded the slow way.
        head = head.translate(None, b" \t\r\n")
        head = head[: len(head) // 4 * 4]
    head, _ = decode_transfer(head, part.encoding)
    return kind_of(head[:HEAD_OCTETS], part.media_type, part.filename)


def _source(opaque: _Opaque) -> Source:
    """Somebody else's mail, forwarded, is quoted, however it is encoded; a file is attached.

    A file with the ending .eml is one that the sender chose to attach, like a letter in a PDF.
    """
    is_forwarded = opaque.kind is Kind.MESSAGE and opaque.node.part.media_type[:8] == "message/"
    return Source.QUOTED if is_forwarded or opaque.node.in_message else Source.ATTACHMENT
