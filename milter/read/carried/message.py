"""A message attached as a file: its subject, text, links and what it carries itself.

A `message/rfc822` part that is transferred as it is belongs to the tree of the mail (`mime`) and
never comes here; this is for files with the ending .eml, and for those that were wrapped in a
transfer encoding that RFC 2046 does not allow but programs undo.

**Standards:** RFC 5322, RFC 2046 §5.2.1.
**Failure:** never raises because of content.
"""

from milter.mail.finding import Source
from milter.mail.reading import Defect
from milter.read.carried.carrier import Carrier
from milter.read.decode import decode_transfer
from milter.read.facts import read_facts
from milter.read.leaf_text import read_leaf
from milter.read.mime import Node, scan_message

MAX_PARTS = 200
_OWN_SOURCES = frozenset({Source.ICS, Source.VCARD, Source.QR})


def read_message_file(octets: bytes, carrier: Carrier) -> None:
    """Tell the carrier what an attached message says."""
    tree = scan_message(octets, max_parts=MAX_PARTS, digests=False)
    if Defect.TOO_MANY_PARTS in tree.defects or Defect.TOO_DEEP in tree.defects:
        carrier.miss()
    header, _ = read_facts(octets, tree.nodes[0].header)
    carrier.say(header.subject)

    def decode(node: Node) -> tuple[bytes, Defect | None]:
        body = octets[node.part.body_start : node.part.body_end]
        return decode_transfer(body, node.part.encoding)

    for node in tree.leaves:
        if not carrier.budget.has_time():
            carrier.miss()
            return
        leaf = read_leaf(node, decode, banner_key=carrier.banner_key, text_only=False)
        if leaf is None:
            carrier.file_name(node.part.filename)
            carrier.inner(decode(node)[0], node.part.media_type, node.part.filename)
            continue
        for segment in leaf.segments(carrier.banner_key):
            carrier.say(segment.text, segment.source if segment.source in _OWN_SOURCES else None)
        for segment in leaf.hidden:
            carrier.conceal(segment.text)
        for link in leaf.links:
            carrier.link(link.target, link.shown, visible=link.visible)
        for image in leaf.images:
            carrier.inner(image, "", "")
