"""How a hold looks to a person: as JSON, as a line of a list, as a page with a safe preview.

All text of the sender goes through `visible`: a terminal obeys none of it. HTML is shown as the
text of its characters, without building its tree. Failure: none, whatever the message is like.
"""

from collections.abc import Iterator
from typing import Any

from milter.judge.explain import sentences
from milter.mail.address import Path
from milter.mail.message import scan_header
from milter.mail.quarantine import QuarantineRecord
from milter.mail.visible import visible, visible_lines
from milter.read.decode import decode_charset, decode_transfer
from milter.read.encoded_words import decode_value
from milter.read.html import read_html
from milter.read.mime import Node, scan_message

_HEADER_LINES = 60
_PREVIEW_LINES = 60
_LINE = 200
_PREVIEW_OCTETS = 200_000
_NO_PREVIEW = "(no text part)"


def as_json(record: QuarantineRecord) -> dict[str, Any]:
    """The object of the contract in docs/quarantine.md: keys are added, never removed."""
    verdict = record.verdict
    waiting = {recipient.path.raw for recipient in record.unreleased}
    return {
        "id": record.quarantine_id,
        "state": record.state.value,
        "transaction_id": record.transaction_id,
        "role": record.role,
        "rule": record.rule,
        "received_at": record.received_at.isoformat(),
        "expires_at": record.expires_at.isoformat(),
        "client_ip": record.client_ip,
        "reverse_path": path_text(record.envelope.reverse_path),
        "recipients": [
            {"address": path_text(one.path), "released": one.path.raw not in waiting}
            for one in record.envelope.recipients
        ],
        "header_from": record.header_from,
        "subject": record.subject,
        "size_bytes": record.size_bytes,
        "sha256": record.sha256,
        "verdict": {
            "label": verdict.label.value,
            "score_db": verdict.score_db,
            "probability": verdict.probability,
        },
        "findings": [
            {
                "code": weighed.finding.code,
                "family": weighed.family,
                "weight_db": weighed.weight_db,
                "summary": weighed.summary,
                "evidence": [one.text for one in weighed.finding.evidence],
            }
            for weighed in verdict.findings
        ],
        "degraded": list(verdict.degraded),
        "decided_by": record.decided_by,
        "decided_at": record.decided_at.isoformat() if record.decided_at else None,
    }


def as_line(record: QuarantineRecord) -> str:
    """One line of a list."""
    recipients = record.envelope.recipients
    to = visible(path_text(recipients[0].path), 30) if recipients else ""
    more = f" +{len(recipients) - 1}" if len(recipients) > 1 else ""
    return (
        f"{record.quarantine_id}  {record.state:9}  {record.received_at:%Y-%m-%d %H:%M}  "
        f"{record.verdict.score_db:5.1f}  {visible(record.rule, 20)}  "
        f"{visible(record.header_from, 40)} -> {to}{more}  {visible(record.subject, 60)}"
    )


def as_page(record: QuarantineRecord, raw: bytes | None) -> Iterator[str]:
    """Lines of a page: record, reasons with evidence, header, text. `raw` is None once erased."""
    waiting = record.unreleased
    yield f"Id            {record.quarantine_id}"
    yield f"State         {record.state}{_decided(record)}"
    yield f"Received      {record.received_at:%Y-%m-%d %H:%M:%S} UTC from {record.client_ip}"
    yield f"Expires       {record.expires_at:%Y-%m-%d %H:%M} UTC"
    yield f"Transaction   {record.transaction_id} ({record.role})"
    yield f"Reverse-path  <{visible(path_text(record.envelope.reverse_path), _LINE)}>"
    for recipient in record.envelope.recipients:
        served = "" if recipient in waiting else "  (released)"
        yield f"Recipient     <{visible(path_text(recipient.path), _LINE)}>{served}"
    yield f"From          {visible(record.header_from, _LINE)}"
    yield f"Subject       {visible(record.subject, _LINE)}"
    yield f"Size          {record.size_bytes} octets, SHA-256 {record.sha256}"
    yield from _reasons(record)
    if raw is not None:
        yield ""
        yield "Header"
        yield from (f"  {line}" for line in header_lines(raw))
        yield ""
        yield "Text"
        yield from (f"  {line}" for line in preview_lines(raw))


def header_lines(raw: bytes) -> list[str]:
    """The header as it stands, made visible."""
    header = scan_header(raw)
    text = raw[header.start : header.header_end].decode("utf-8", "backslashreplace").rstrip()
    return visible_lines(text, lines=_HEADER_LINES, longest=_LINE)


def preview_lines(raw: bytes) -> list[str]:
    """The first text of the message, plain before HTML."""
    leaves = list(scan_message(raw, digests=False).leaves)
    for media_type in ("text/plain", "text/html"):
        for node in leaves:
            if node.part.media_type == media_type and node.part.disposition != "attachment":
                text = _text(raw, node)
                if text.strip():
                    return visible_lines(text.strip(), lines=_PREVIEW_LINES, longest=_LINE)
    names = [visible(decode_value(one.part.filename.encode()), 80) for one in leaves]
    return [_NO_PREVIEW, *(name for name in names if name)]


def path_text(path: Path) -> str:
    """A path as text; octets that are no UTF-8 are escaped."""
    return path.raw.decode("utf-8", "backslashreplace")


def _text(raw: bytes, node: Node) -> str:
    part = node.part
    octets, _ = decode_transfer(raw[part.body_start : part.body_end], part.encoding)
    text, _ = decode_charset(octets[:_PREVIEW_OCTETS], part.charset)
    if part.media_type == "text/html":
        # The tree of a stranger's HTML is only ever built in a reader process.
        return read_html(text, text_only=True).text
    return text


def _decided(record: QuarantineRecord) -> str:
    if record.decided_at is None:
        return ""
    return f", by {visible(record.decided_by, 80)} at {record.decided_at:%Y-%m-%d %H:%M:%S} UTC"


def _reasons(record: QuarantineRecord) -> Iterator[str]:
    verdict = record.verdict
    yield f"Rule          {visible(record.rule, _LINE)}"
    yield f"Verdict       {verdict.label}, {verdict.score_db:.1f} dB"
    weighed = [one for one in verdict.findings if one.weight_db]
    for one, sentence in zip(weighed, sentences(verdict), strict=True):
        yield f"  {one.finding.code}: {sentence}"
        for evidence in one.finding.evidence:
            yield f"      {evidence.source}: {visible(evidence.text, _LINE)}"
    for missing in verdict.degraded:
        yield f"  missing: {visible(missing, _LINE)}"
