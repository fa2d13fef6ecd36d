"""The form of a command line: verb, path, parameters. Raises `Refused` with the reply that fits.

Standards: RFC 5321 §2.3.8 (line ends), §4.1.1 (commands), RFC 6531 §3.4.
"""

import re
from collections.abc import Mapping

from milter.listen.esmtp import Parameters
from milter.listen.refusal import RefusalReason, Refused
from milter.mail import reply as replies
from milter.mail.address import Path, PathError, parse_path
from milter.mail.reply import OwnReply

_VERB = re.compile(rb"[A-Za-z]{1,32}")


def split_command(line: bytes) -> tuple[bytes, bytes]:
    """Verb in upper case and argument; raises Refused for a line that no command is."""
    if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
        # RFC 5321 §2.3.8: only CRLF ends a line; anything looser is a way to smuggle.
        raise Refused(replies.BAD_LINE_END, RefusalReason.COMMAND_LINE)
    if b"\0" in line:
        raise Refused(replies.NUL_IN_COMMAND, RefusalReason.COMMAND_LINE)
    verb, _, argument = line[:-2].partition(b" ")
    if not _VERB.fullmatch(verb):
        raise Refused(replies.UNKNOWN_COMMAND, RefusalReason.UNKNOWN_COMMAND)
    return verb.upper(), argument.strip(b" ")


def path_argument(argument: bytes, keyword: bytes, refusal: OwnReply) -> tuple[Path, bytes]:
    """The path behind `FROM:` or `TO:`; a space before it is a common slip and is let pass."""
    if argument[: len(keyword)].upper() != keyword:
        raise Refused(replies.SYNTAX_ERROR, RefusalReason.SYNTAX)
    try:
        return parse_path(argument[len(keyword) :].lstrip(b" "), smtputf8=True)
    except PathError:
        raise Refused(refusal, RefusalReason.SYNTAX) from None


def require_ascii(path: Path, smtputf8: bool) -> None:
    """RFC 6531 §3.4: an address above ASCII needs SMTPUTF8 at MAIL."""
    if not smtputf8 and not path.raw.isascii():
        raise Refused(replies.UTF8_NOT_ASKED_FOR, RefusalReason.SYNTAX)


def require_no_argument(argument: bytes) -> None:
    """For commands that take none."""
    if argument:
        raise Refused(replies.SYNTAX_ERROR, RefusalReason.SYNTAX)


def require_supported(
    parameters: Parameters, known: Mapping[str, str], keywords: Mapping[str, str]
) -> None:
    """What we announced for a next hop that takes it no more is our fault: 451, never 555."""
    if any(known[keyword] not in keywords for keyword in parameters):
        raise Refused(replies.NEXT_HOP_CLOSING, RefusalReason.NEXT_HOP_FAILED)
