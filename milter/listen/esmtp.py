"""What we announce, and which ESMTP parameters may follow a path.

We announce only what the next hop announced: a parameter goes on as it came, and nothing that we
took in can be something that the next hop does not know. CHUNKING and AUTH are never offered.

Standards: RFC 5321 §4.1.1.11 (parameters), RFC 1870, RFC 6152, RFC 6531, RFC 3461, RFC 2920.
Failure: `parse_parameters` raises ValueError for what is no parameter list.
"""

import re
from collections.abc import Mapping

MIRRORED = ("8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")
# What the peer hears while nobody knows the next hop. Announcing less would be worse: a peer that
# misses SMTPUTF8 or DSN decides for good, and a dead dependency must never make a bounce (rule 1).
UNKNOWN_NEXT_HOP: Mapping[str, str] = {"SIZE": "", **dict.fromkeys(MIRRORED, "")}

MAIL_PARAMETERS: Mapping[str, str] = {
    "SIZE": "SIZE",
    "BODY": "8BITMIME",
    "SMTPUTF8": "SMTPUTF8",
    "RET": "DSN",
    "ENVID": "DSN",
}
RCPT_PARAMETERS: Mapping[str, str] = {"NOTIFY": "DSN", "ORCPT": "DSN"}

# Keyword to value and the whole parameter as it came.
Parameters = dict[str, tuple[bytes, bytes]]

# RFC 5321 §4.1.2 esmtp-value, with the UTF-8 that RFC 6531 §3.3 allows in it.
_PARAMETER = re.compile(rb"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\x80-\xff]+))?")
_SIZE = re.compile(r"[0-9]{1,20}")


def announced(next_hop: Mapping[str, str], max_message_bytes: int) -> dict[str, str]:
    """Keywords for our EHLO reply that come from the next hop's."""
    keywords = {"PIPELINING": ""}
    if "SIZE" in next_hop:
        keywords["SIZE"] = str(smaller_size(next_hop["SIZE"], max_message_bytes))
    keywords.update({word: "" for word in MIRRORED if word in next_hop})
    return keywords


def smaller_size(theirs: str, ours: int) -> int:
    """The smaller of two size limits; 0 and nothing mean "no limit" (RFC 1870 §3)."""
    word = theirs.strip()
    size = int(word) if _SIZE.fullmatch(word) else 0
    return min(size, ours) if size else ours


def parse_parameters(rest: bytes) -> Parameters:
    """Keyword to (value, parameter verbatim), in order; each keyword at most once."""
    parameters: Parameters = {}
    for verbatim in rest.split():
        match = _PARAMETER.fullmatch(verbatim)
        if match is None:
            raise ValueError("no ESMTP parameter")
        keyword = match.group(1).decode("ascii").upper()
        if keyword in parameters:
            raise ValueError("parameter given twice")
        parameters[keyword] = (match.group(2) or b"", verbatim)
    return parameters


def verbatim(parameters: Parameters) -> tuple[bytes, ...]:
    """The parameters as they came, in order."""
    return tuple(as_given for _, as_given in parameters.values())


def declared_size(parameters: Parameters) -> int:
    """The octets that SIZE= announces, 0 without it; raises ValueError for no number."""
    if "SIZE" not in parameters:
        return 0
    value = parameters["SIZE"][0].decode("ascii", "replace")
    if not _SIZE.fullmatch(value):
        raise ValueError("SIZE is no number")
    return int(value)
