"""Our header fields, the removal of forged ones, and the tag in the subject.

Gives edits, never bytes. Our fields go on top, where the next filter looks first. Forged fields are
those that claim to be ours: X-Lurewall-* in any case, and Authentication-Results with our
authserv-id. Authentication-Results of our own are added only where we verified: elsewhere a field
that says `none` would only compete with those of the MTA in front of us. It names methods and
results of version 1, which is not written (§2.2), and no comments, which parsers trip over.

**Standards:** RFC 5322 §2.1.1 and §2.2.3 (line length, folding), RFC 8601 §2.2 (field) and §5
(removal), RFC 2045 §5.1 (token), RFC 2047 (non-ASCII tags).
**Failure:** none; what is not printable ASCII in a value becomes `?`.
"""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator

from milter.mail.edit import InsertField, RemoveField, ReplaceField
from milter.mail.message import Header, HeaderField
from milter.mail.own_fields import OUR_PREFIX, RESULTS, is_own_field
from milter.mail.reading import AuthResult
from milter.mail.verdict import Action, Mode, Verdict

_LINE_OCTETS = 78
_LONGEST_LINE = 998
_WORD_OCTETS = 200
_VALUE_OCTETS = 4_000
_UNPRINTABLE = re.compile(r"[^ -~]")
_LINE_END = re.compile(rb"\r?\n\Z")

# Only for headers beyond the scanner's bounds: the fields that claim to be ours, and nothing else.
_CLAIMED = re.compile(
    rb"^(x-lurewall-[!-9;-~]*|authentication-results)[ \t]*(:)[^\n]*+\n?+(?:[ \t][^\n]*+\n?+)*+",
    re.IGNORECASE | re.MULTILINE,
)
# So that the first one fits behind the name of the field.
_ENCODED_WORD_OCTETS = 39
_ENCODED_LINE = 76

# RFC 8601 §2.2 pvalue: a token, or a domain name with or without something before its `@`.
_PVALUE = re.compile(r"(?:[A-Za-z0-9!#$%&'*+^_`{|}~.-]*@)?[A-Za-z0-9!#$%&'*+^_`{|}~.-]+")
_PROGRAM_MARKS = re.compile(r"[=;]")
_QUOTED_PIECES = re.compile(r'(?:[^"\\]|\\.)*+')
_RESULTS_OCTETS = 3_500
_PROPERTY_OCTETS = 180


def verdict_fields(
    verdict: Verdict,
    *,
    transaction_id: str,
    action: Action,
    mode: Mode,
    reasons: tuple[str, ...],
) -> tuple[tuple[str, str], ...]:
    """Names and values of the fields that say what we believe; reasons are `CODE=+7.0` words.

    The policy row is not named: recipients of different rows share one transaction.
    """
    words = [str(verdict.label), f"disposition={action}", f"mode={mode}"]
    if verdict.degraded:
        words.append("degraded=" + ",".join(verdict.degraded))
    score = f"{verdict.score_db:.1f} dB; probability={verdict.probability:.4f}"
    fields = [
        ("X-Lurewall-Verdict", "; ".join(words)),
        ("X-Lurewall-Score", score),
    ]
    if reasons:
        fields.append(("X-Lurewall-Reasons", ", ".join(reasons)))
    fields.append(("X-Lurewall-Id", transaction_id))
    return tuple(fields)


def results_field(authserv_id: str, results: tuple[AuthResult, ...]) -> tuple[str, str]:
    """Name and value of the field that says what we verified; `none` where nothing was (§2.2).

    Where there is no room for all, signatures are left out: a sender can make as many as he likes,
    and must not push out what was found of himself.
    """
    clauses = [_resinfo(result) for result in results]
    room = _RESULTS_OCTETS
    kept: set[int] = set()
    for number in sorted(range(len(results)), key=lambda number: results[number].method == "dkim"):
        room -= len(clauses[number])
        if room < 0:
            break
        kept.add(number)
    said = [clause for number, clause in enumerate(clauses) if number in kept] or ["none"]
    return "Authentication-Results", "; ".join((authserv_id, *said))


def _resinfo(result: AuthResult) -> str:
    words = [f"{result.method}={result.result}"]
    if result.reason:
        words.append(f"reason={_quoted(result.reason)}")
    words += (
        f"{ptype}.{name}={_pvalue(value)}" for ptype, name, value in result.properties if value
    )
    return " ".join(words)


def _pvalue(value: str) -> str:
    plain = _UNPRINTABLE.sub("?", value)[:_PROPERTY_OCTETS]
    # `=` and `;` would do no harm between quotes, but many programs behind us only look for words.
    return plain if _PVALUE.fullmatch(plain) else _quoted(_PROGRAM_MARKS.sub("?", plain))


def _quoted(text: str) -> str:
    """A quoted-string; where it is folded, one space stays one space."""
    plain = " ".join(_UNPRINTABLE.sub("?", text).split())
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')[:_PROPERTY_OCTETS]
    # Cut before a whole piece, and short enough that `folded` leaves the word whole: without its
    # closing quote it would swallow what follows, and the next quoted-string would be read as ours.
    whole = _QUOTED_PIECES.match(escaped)
    return f'"{whole[0] if whole else ""}"'


def insert_fields(
    fields: tuple[tuple[str, str], ...], raw: bytes, line_end: bytes
) -> tuple[InsertField, ...]:
    """The edits that put `fields` on top, in their order."""
    # An mbox separator in front is no field and stays in front.
    start = raw.find(b"\n") + 1 if raw.startswith((b"From ", b">From ")) else 0
    return tuple(
        InsertField(
            index=index,
            start=start,
            name=name.encode("ascii"),
            value=folded(name, value, line_end),
            line_end=line_end,
        )
        for index, (name, value) in enumerate(fields)
    )


def folded(name: str, value: str, line_end: bytes) -> bytes:
    """The value as it stands after the colon, printable ASCII, folded at spaces."""
    lines: list[str] = []
    line = ""
    room = _LINE_OCTETS - len(name) - 1
    for word in _UNPRINTABLE.sub("?", value)[:_VALUE_OCTETS].split():
        word = word[:_WORD_OCTETS]
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line, room = "", _LINE_OCTETS
        line += " " + word
    lines.append(line or " ")
    return line_end.join(line.encode("ascii") for line in lines)


def forged_fields(raw: bytes, header: Header, own_authserv_id: str) -> tuple[RemoveField, ...]:
    """The edits that remove every field that claims to be ours (RFC 8601 §5)."""
    seen: Counter[bytes] = Counter()
    forged: list[RemoveField] = []
    for name, start, value_start, end in _claimed_fields(raw, header):
        seen[name] += 1
        if is_own_field(name, raw[value_start:end], own_authserv_id):
            forged.append(
                RemoveField(name=name, occurrence=seen[name], start=start, removed=raw[start:end])
            )
    return tuple(forged)


def tag_subject(
    raw: bytes, header: Header, tag: str, decoded_subject: str, line_end: bytes
) -> tuple[ReplaceField, ...]:
    """The edits that put `tag` in front of the subject; nothing where it already stands there.

    The value itself stays as it is, octet for octet: encoded words, raw 8-bit text and folds. A
    message without a subject gets none, nor does one below a line that is no field: for some
    receivers the body begins there.
    """
    if tag in decoded_subject:
        return ()
    edits: list[ReplaceField] = []
    for occurrence, field in enumerate(header.named(b"subject"), start=1):
        old = _LINE_END.sub(b"", raw[field.value_start : field.end])
        plain, joined = (
            _tag_octets(tag, line_end, before_encoded_word=each) for each in (False, True)
        )
        is_below_junk = 0 <= header.first_junk < field.start
        if is_below_junk or plain in old or joined in old:
            continue
        octets = joined if old.lstrip().startswith(b"=?") else plain
        edits.append(
            ReplaceField(
                name=spelled_name(raw, field),
                occurrence=occurrence,
                start=field.value_start,
                removed=old,
                value=_tagged(octets, old, line_end),
            )
        )
    return tuple(edits)


def spelled_name(raw: bytes, field: HeaderField) -> bytes:
    """The name as it stands there: some MTAs write a changed field under the name they are told."""
    return raw[field.start : field.value_start - 1].rstrip()


def _tagged(tag: bytes, old: bytes, line_end: bytes) -> bytes:
    """Tag and old value; a value that directly follows its colon needs a space."""
    rest = old if not old or old[:1].isspace() else b" " + old
    line = (b"Subject: " + tag).rpartition(b"\n")[2] + rest.partition(b"\n")[0].rstrip(b"\r")
    # RFC 5322 §2.1.1, and RFC 2047 §2 for a line that holds encoded words.
    room = _ENCODED_LINE if b"=?" in line else _LONGEST_LINE
    fold = line_end if len(line) > room and rest.strip() else b""
    return b" " + tag + fold + rest


def _tag_octets(tag: str, line_end: bytes, *, before_encoded_word: bool) -> bytes:
    """The tag for a header: ASCII as it is, else as encoded words (RFC 2047 §2, §5)."""
    if tag.isascii():
        return tag.encode("ascii")
    # White space between two encoded words is not shown (RFC 2047 §6.2): it goes into the tag.
    text = tag + " " if before_encoded_word else tag
    words: list[bytes] = []
    chunk = b""
    for character in text:
        octets = character.encode("utf-8")
        if len(chunk) + len(octets) > _ENCODED_WORD_OCTETS:
            words.append(chunk)
            chunk = b""
        chunk += octets
    words.append(chunk)
    return (line_end + b" ").join(b"=?utf-8?B?" + b64encode(word) + b"?=" for word in words)


def _claimed_fields(raw: bytes, header: Header) -> Iterator[tuple[bytes, int, int, int]]:
    """Every field whose name could be a claim to be ours, beyond the scanner's bounds too."""
    listed_to = header.start
    for name, start, value_start, end in header.fields:
        listed_to = end
        if name == RESULTS or name.startswith(OUR_PREFIX):
            yield name, start, value_start, end
    for match in _CLAIMED.finditer(raw, listed_to, header.header_end):
        yield match[1].lower(), match.start(), match.end(2), match.end()
