"""The corpus: whole mails with marked spans, read into text and offsets.

A file `mails/SPLIT/LANGUAGE-TOPIC.mails` starts with defaults (`key: value` lines), then holds
mails: `=== ID`, header lines, an empty line, the body. `{LABEL: text}` marks a span in subject or
body, `{LABEL.attribute/1: text}` with its kind and strength 1 (2 is understood); spans nest. Labels
in capitals are intents, in small letters entities. Lines that start with `#` before the first mail
are remarks. docs/corpus.md says what each label means and where its span begins and ends.

Failure: a file that breaks the notation raises CorpusError with file, mail and place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from nlp import training
from nlp.analysis import EntityType, IntentLabel, ReadableText, TextSegment

SPLITS: Final = ("train", "dev", "test")
LANGUAGES: Final = (
    *("en", "fr_ca", "fr_eu", "zh_hans", "zh_hant"),
    *("de", "es", "pt", "ru", "ko", "ar"),
)
LURE_CLASSES: Final = frozenset({"LURE_RECRUIT", "LURE_MALWARE", "LURE_EVENT"})
CLASSES: Final = LURE_CLASSES | {"SCAM", "BENIGN_HARD", "BENIGN_EASY", "REPORTED"}
# What authentication and identity would say of the sender, as a fixture.
SENDERS: Final = frozenset({"freemail", "domain", "aligned", "relay"})
POSITIONS: Final = frozenset({"cold", "after_relay", "thread"})

_ENTITIES: Final = frozenset(EntityType)
_INTENTS: Final = frozenset(label.upper() for label in IntentLabel)
_MAIL_START: Final = re.compile(r"^=== *(\S+) *$", re.MULTILINE)
_OPENING: Final = re.compile(r"\{([A-Za-z_]+)(?:\.([a-z_]+))?(?:/([12]))?: ?")
_KEYS: Final = frozenset(
    {"case", "class", "twin", "sender", "position", "subject", "entities", "name", "labels"}
)


class CorpusError(ValueError):
    """The corpus breaks its own notation; the text says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A marked span: half-open code points in the text without markup."""

    label: str
    start: int
    end: int
    attribute: str = ""
    strength: int = 2

    @property
    def is_entity(self) -> bool:
        """Whether it marks an entity rather than an intent."""
        return self.label.islower()


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedText:
    """Text without markup, and its spans in order of their beginning."""

    text: str
    spans: tuple[Marked, ...] = ()


_WRITER = re.compile(r"-([A-Z]+)(\d*)([a-z]?)-")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingMail:
    """One mail of the corpus. `twin` is the honest mail that shares surface signals with a lure.

    `name` is the sender's display name; `entities_marked` says that handles, phones, money,
    platforms and persons are all marked, so that precision can be measured; without
    `labels_marked` only its class is known.
    """

    mail_id: str
    language: str
    split: str
    case: str
    mail_class: str
    sender: str
    position: str
    subject: MarkedText
    body: MarkedText
    twin: str = ""
    name: str = ""
    entities_marked: bool = False
    labels_marked: bool = True

    @property
    def body_alone(self) -> ReadableText:
        """Its body as a reader gives it, without the subject."""
        segment = TextSegment(source="body", part="1", text=self.body.text)
        return ReadableText(segments=(segment,), names=(self.name,) if self.name else ())

    @property
    def is_lure(self) -> bool:
        """Whether the gateway must tag it."""
        return self.mail_class in LURE_CLASSES

    @property
    def writer(self) -> str:
        """Who wrote it: a letter, or a letter and a number where parts are told by a small letter."""
        found = _WRITER.search(self.mail_id)
        if found is None:
            return "quality"
        letters, digits, part = found.groups()
        return letters + digits if part else letters

    @property
    def intents(self) -> frozenset[str]:
        """The intent labels that are marked anywhere in it."""
        spans = (*self.subject.spans, *self.body.spans)
        return frozenset(span.label for span in spans if not span.is_entity)


def read_corpus(*splits: str) -> tuple[TrainingMail, ...]:
    """Every mail of the splits (all of them if none is named), in order of file and place."""
    root = files(training).joinpath("mails")
    return tuple(
        mail
        for split in splits or SPLITS
        for path in sorted(root.joinpath(split).iterdir(), key=lambda path: path.name)
        if path.name.endswith(".mails")
        for mail in read_file(path, split)
    )


def read_file(path: Traversable, split: str) -> Iterator[TrainingMail]:
    """The mails of one file."""
    language, dash, _topic = path.name.removesuffix(".mails").partition("-")
    if language not in LANGUAGES or not dash:
        raise CorpusError(f"{path.name}: a name is LANGUAGE-TOPIC.mails")
    pieces = _MAIL_START.split(path.read_text("utf-8"))
    defaults = _headers(
        [line for line in pieces[0].splitlines() if line and not line.startswith("#")], path.name
    )
    for mail_id, content in zip(pieces[1::2], pieces[2::2], strict=True):
        yield _mail(f"{path.name} {mail_id}", mail_id, language, split, defaults, content)


def _mail(
    where: str, mail_id: str, language: str, split: str, defaults: dict[str, str], content: str
) -> TrainingMail:
    head, _, body = content.strip("\n").partition("\n\n")
    headers = {"sender": "freemail", "position": "cold", **defaults}
    headers |= _headers(head.splitlines(), where)
    for key, known in (("class", CLASSES), ("sender", SENDERS), ("position", POSITIONS)):
        if headers.get(key) not in known:
            raise CorpusError(f"{where}: {key} is none of {', '.join(sorted(known))}")
    if not headers.get("case") or not body.strip():
        raise CorpusError(f"{where}: a mail has a case and a body")
    return TrainingMail(
        mail_id=mail_id,
        language=language,
        split=split,
        case=headers["case"],
        mail_class=headers["class"],
        sender=headers["sender"],
        position=headers["position"],
        subject=compile_markup(headers.get("subject", ""), where),
        body=compile_markup(body.strip("\n"), where),
        twin=headers.get("twin", ""),
        name=headers.get("name", ""),
        entities_marked=headers.get("entities") == "marked",
        labels_marked=headers.get("labels") != "unmarked",
    )


def _headers(lines: list[str], where: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon or key not in _KEYS:
            raise CorpusError(f"{where}: no header line: {line[:60]!r}")
        headers[key] = value.strip()
    return headers


def compile_markup(marked: str, where: str) -> MarkedText:
    """Text and spans of marked text; `where` goes into the message of an error."""
    text: list[str] = []
    length = 0
    spans: list[Marked] = []
    opened: list[tuple[re.Match[str], int]] = []
    place = 0
    while place < len(marked):
        character = marked[place]
        if character == "{":
            opening = _OPENING.match(marked, place)
            if opening is None or not _is_label(opening[1]):
                raise CorpusError(f"{where}: no label after {marked[place : place + 30]!r}")
            opened.append((opening, length))
            place = opening.end()
            continue
        if character == "}":
            if not opened:
                raise CorpusError(f"{where}: a brace too many near {marked[:place][-30:]!r}")
            spans.append(_closed(*opened.pop(), length, where))
        else:
            text.append(character)
            length += 1
        place += 1
    if opened:
        raise CorpusError(f"{where}: not closed: {opened[-1][0][0]!r}")
    spans.sort(key=lambda span: (span.start, -span.end))
    return MarkedText(text="".join(text), spans=tuple(spans))


def _closed(opening: re.Match[str], start: int, end: int, where: str) -> Marked:
    if end == start:
        raise CorpusError(f"{where}: an empty span of {opening[1]}")
    return Marked(
        label=opening[1],
        start=start,
        end=end,
        attribute=opening[2] or "",
        strength=int(opening[3] or 2),
    )


def _is_label(word: str) -> bool:
    return word in _ENTITIES or word in _INTENTS
