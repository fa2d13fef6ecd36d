"""Plain text, HTML, calendars and cards that a part declares to be something else.

**Standards:** see `decode`, `html` and `cards`.
**Failure:** never raises because of content.
"""

from milter.mail.reading import Defect
from milter.read.carried.cards import read_card
from milter.read.carried.carrier import Carrier
from milter.read.carried.data_uris import images_in
from milter.read.decode import decode_charset, lf_lines, meta_charset
from milter.read.html import read_html

_MAX_OCTETS = 4_000_000
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read_text_file(octets: bytes, carrier: Carrier) -> None:
    """Tell the carrier the text of a file."""
    carrier.say(_decoded(octets, carrier))


def read_card_file(octets: bytes, carrier: Carrier) -> None:
    """Tell the carrier what a calendar or card says."""
    card = read_card(_decoded(octets, carrier))
    carrier.say(card.text, card.source)
    for target in card.targets:
        carrier.link(target)


def read_html_file(octets: bytes, carrier: Carrier) -> None:
    """Tell the carrier what an HTML file says, hides and leads to."""
    html = _decoded(octets, carrier, meta_charset(octets))
    read = read_html(html, part=carrier.part, banner_key=carrier.banner_key)
    carrier.say(read.text)
    if read.defect:
        carrier.miss(read.defect)
    for hidden in read.hidden:
        carrier.conceal(hidden)
    for link in read.links:
        carrier.link(link.target, link.shown, visible=link.visible)
    for image in images_in(html):
        carrier.inner(image, "", "")


def _decoded(octets: bytes, carrier: Carrier, label: str = "") -> str:
    if len(octets) > _MAX_OCTETS:
        octets = octets[:_MAX_OCTETS]
        carrier.miss(Defect.TEXT_TRUNCATED)
    label = next((charset for bom, charset in _BOMS if octets.startswith(bom)), label)
    return lf_lines(decode_charset(octets, label)[0])
