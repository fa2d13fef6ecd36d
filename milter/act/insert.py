"""A banner into one part: which text, and the labels that have to change with it.

HTML banners are ASCII and fit into every charset we edit. Where the charset of a text part cannot
hold the banner, in this order: a part that is labelled us-ascii, and is, becomes utf-8, which
changes no character of it; if it was a 7-bit body it becomes quoted-printable too, because the next
hop may not take 8-bit octets; another version of the text (shorter, English); nothing. Where the
octets are not what their label says, only ASCII goes in. Refuses to convert a body from one charset
to another. The octets are `transfer`'s business.

**Standards:** RFC 2045 §5 and §6 (labels), §2.7 and RFC 6152 (7-bit and 8-bit data), RFC 3676 §4.4
(space-stuffing).
**Failure:** a `BannerOutcome` instead of edits; the part keeps its octets.
"""

import re
from dataclasses import dataclass

from milter.act.headers import spelled_name
from milter.act.sites import (
    Site,
    charset_span,
    has_clear_labels,
    may_hold_parts,
    only_field,
)
from milter.act.transfer import Words, body_octets, placed, requoted
from milter.mail.charsets import UNLABELLED, Charset, writable_charset
from milter.mail.edit import BannerOutcome, Edit, InsertField, ReplaceField, SpliceBody

_WORD = re.compile(rb"[^\s;()]+")
_LINE_END = re.compile(rb"\r?\n\Z")
_STUFFED = re.compile(r"^(?= |>|From )", re.MULTILINE)
_LONGEST_MARK = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Insertion:
    """The edits that put a banner into a part, or the reason why there are none."""

    outcome: BannerOutcome
    edits: tuple[Edit, ...] = ()


def insert_html(raw: bytes, site: Site, html: str) -> Insertion:
    """Put the HTML banner at the site."""
    # What the mail says is repeated in it: no line may be taken for a delimiter.
    words = Words(text=html.replace("\n--", "\n&#45;-"), charset=site.charset)
    return _insertion(placed(raw, site, words), BannerOutcome.INSERTED)


def insert_text(raw: bytes, site: Site, texts: tuple[str, ...]) -> Insertion:
    """Put the first of `texts` that can be put exactly at the start of the body."""
    start = 0 if site.encoding == "base64" else site.body_start
    # Three octets, each an escape with a soft break behind it.
    most = _LONGEST_MARK * (6 if site.encoding == "quoted-printable" else 1)
    if not start <= site.insert_at <= start + most:
        return Insertion(outcome=BannerOutcome.SITE_DOUBTFUL)
    body: bytes | BannerOutcome | None = None
    for number, text in enumerate(texts):
        if site.is_flowed:
            text = _STUFFED.sub(" ", text)
        text = text.replace("\n--", "\n --")
        if text.isascii():
            insertion = _insertion(
                placed(raw, site, Words(text=text, charset=site.charset)), BannerOutcome.INSERTED
            )
        else:
            body = body_octets(raw, site) if body is None else body
            insertion = _insert_foreign(raw, site, text, body)
        if insertion.outcome not in (BannerOutcome.CHARSET, BannerOutcome.TOO_LARGE):
            fell_back = number and insertion.outcome is BannerOutcome.INSERTED
            outcome = BannerOutcome.FALLBACK_TEXT if fell_back else insertion.outcome
            return Insertion(outcome=outcome, edits=insertion.edits)
    return Insertion(outcome=BannerOutcome.CHARSET)


def _insert_foreign(raw: bytes, site: Site, text: str, body: bytes | BannerOutcome) -> Insertion:
    """Put a text that is more than ASCII; `body` is the whole of the part, decoded."""
    if isinstance(body, BannerOutcome):
        is_unsound = body is BannerOutcome.BAD_ENCODING
        return Insertion(outcome=BannerOutcome.CHARSET if is_unsound else body)
    charset = _charset_for(site, text, body)
    if charset is None:
        return Insertion(outcome=BannerOutcome.CHARSET)
    words = Words(text=text, charset=charset)
    requote = site.encoding == "identity" and body.isascii() and not words.octets(b"\n").isascii()
    labels: tuple[Edit, ...] | None = ()
    if charset is not site.charset:
        labels = _charset_label(raw, site)
    if labels is None or (requote and may_hold_parts(raw, site)):
        return Insertion(outcome=BannerOutcome.CHARSET)
    if (labels or requote) and not has_clear_labels(raw, site.header):
        return Insertion(outcome=BannerOutcome.CHARSET)
    if requote:
        labels = (*labels, *_encoding_label(raw, site))
        return _insertion(requoted(raw, site, words), BannerOutcome.REENCODED, labels)
    outcome = BannerOutcome.RELABELLED if labels else BannerOutcome.INSERTED
    return _insertion(placed(raw, site, words), outcome, labels)


def _charset_for(site: Site, text: str, body: bytes) -> Charset | None:
    """The part's own charset, or the one that it can be labelled as; None if neither holds it."""
    if site.charset.encode(text) is not None:
        return site.charset if site.charset.is_sound(body) else None
    # ASCII means the same in UTF-8: the old text stays what it is (design rule 7). Some programs
    # read unlabelled escapes as ISO-2022-JP, and would no longer.
    is_ascii = site.charset == UNLABELLED and body.isascii() and b"\x1b" not in body
    return writable_charset("utf-8") if is_ascii else None


def _insertion(
    body: SpliceBody | BannerOutcome, outcome: BannerOutcome, labels: tuple[Edit, ...] = ()
) -> Insertion:
    if isinstance(body, BannerOutcome):
        return Insertion(outcome=body)
    return Insertion(outcome=outcome, edits=(*labels, body))


def _charset_label(raw: bytes, site: Site) -> tuple[Edit, ...] | None:
    """Edits that label the part utf-8; None where the label cannot be changed without doubt."""
    field = only_field(site.header, b"content-type")
    if field is None:
        new = [_new_field(site, b"Content-Type", b" text/plain; charset=utf-8")]
        if site.is_root and site.header.first(b"mime-version") is None:
            new.append(_new_field(site, b"MIME-Version", b" 1.0"))
        return tuple(new)
    span = charset_span(raw, field)
    if span is not None:
        return (_new_value(raw, site, b"Content-Type", *span, b"utf-8"),)
    value = _LINE_END.sub(b"", raw[field.value_start : field.end]).rstrip()
    if b"charset" in value.lower() or value.endswith((b";", b")")):
        return None
    end = field.value_start + len(value)
    return (_new_value(raw, site, b"Content-Type", end, end, b"; charset=utf-8"),)


def _encoding_label(raw: bytes, site: Site) -> tuple[Edit, ...]:
    """Edits that label the part quoted-printable."""
    name = b"Content-Transfer-Encoding"
    field = only_field(site.header, name.lower())
    if field is None:
        return (_new_field(site, name, b" quoted-printable"),)
    word = _WORD.search(raw, field.value_start, field.end)
    start, end = word.span() if word else (field.value_start, field.value_start)
    rest = _LINE_END.sub(b"", raw[end : field.end])
    if rest.isspace():
        # Harmless behind 7bit; some programs know no encoding with blanks behind its name.
        end += len(rest)
    return (_new_value(raw, site, name, start, end, b"quoted-printable"),)


def _new_field(site: Site, name: bytes, value: bytes) -> Edit:
    start = site.header.header_end
    if site.is_root:
        index = len(site.header.fields)
        return InsertField(index=index, start=start, name=name, value=value, line_end=site.line_end)
    octets = name + b":" + value + site.line_end
    return SpliceBody(part=site.part, start=start, removed=b"", octets=octets)


def _new_value(raw: bytes, site: Site, name: bytes, start: int, end: int, octets: bytes) -> Edit:
    """Replace `start`..`end` inside the value of the only field of that name."""
    field = only_field(site.header, name.lower())
    if field is None or not site.is_root:
        return SpliceBody(part=site.part, start=start, removed=raw[start:end], octets=octets)
    old = _LINE_END.sub(b"", raw[field.value_start : field.end])
    stop = field.value_start + len(old)
    value = raw[field.value_start : start] + octets + raw[end:stop]
    name = spelled_name(raw, field)
    return ReplaceField(name=name, occurrence=1, start=field.value_start, removed=old, value=value)
