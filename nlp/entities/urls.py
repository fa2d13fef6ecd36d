"""Links in text: with scheme, bare, defanged; redirect wrappers taken off by rule, never fetched.

`find_urls` reports each address with its target; what a target says about messengers is decided
by `platforms`.

Standards: RFC 3986 §3 (parts of a URI), RFC 5890 (A-labels for hosts).
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from nlp import lexicon
from nlp.analysis import EntityResult, EntityType
from nlp.entities.passage import MAX_HITS, Passage
from nlp.entities.unwrap import unwrapped

_INTERNET = lexicon.read("internet")
_TLDS = frozenset((*_INTERNET["tlds"], *_INTERNET["country_codes"].split()))
_DOUBTFUL = frozenset(_INTERNET["doubtful"])
# Hosts of deep links are links even though their ending is doubtful.
_SHORT_HOSTS = frozenset(
    row[0] for service in lexicon.read("platforms")["service"] for row in service.get("links", ())
) | {
    row[0] for service in lexicon.read("platforms")["service"] for row in service.get("aliases", ())
}

_AFTER_SCHEME = re.compile(r"[^\s<>\"“”‘’«»\u3001-\u303f]{1,2048}")
_HOST = re.compile(r"[^\s/?#<>\"'()\[\]{}|\\^`,;!]+|\[[0-9A-Fa-f:.]+\]")
_REST = re.compile(r"[/?#][!#-;=?-\[\]_a-zA-Z~%]{0,2048}")
_PORT = re.compile(r":\d{2,5}(?![\d.])")
_DOT_TLD = re.compile(r"\.(?=([a-z]{2,18}|xn--[a-z0-9-]{2,40})(?![a-z0-9@-]))")
_LABEL_BACK = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$")
_MATRIX_LOCAL_BACK = re.compile(r"@[a-z0-9._=/+-]{1,64}:$")
_SCHEME_BACK = re.compile(r"[a-z][a-z0-9+.-]{1,15}$")
_WEB_SCHEME_BACK = re.compile(r"h(?:tt|xx)ps?$")
_DOT = r"(?:\.|\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)|\{dot\})"
_DEFANGED_DOT = re.compile(r"\[(?:\.|dot)\]|\((?:\.|dot)\)|\{(?:\.|dot)\}|\bhxxps?\b|\[:(?://)?\]")
_DEFANGED = re.compile(
    rf"(?:(?P<scheme>h(?:tt|xx)ps?)\[?:\]?(?://)\]?)?(?P<host>[a-z0-9-]{{1,63}}(?:{_DOT}[a-z0-9-]{{1,63}}){{1,6}})"
    r"(?P<rest>[/?#][^\s<>\"]{0,2048})?",
)
_BRACKETS = re.compile(r"[\[\](){}]|dot")
# "t . me / name", "wa dot me slash 44..." : only for hosts whose links are handles.
_SPACED_LINK = re.compile(
    r"(?<![a-z0-9])(?P<host>t|wa|signal|line|zalo|m|telegram|qm\.qq|u\.wechat)(?: ?\. ?| ?[\[(]?dot[\])]? ?)"
    r"(?P<tld>me|com)(?: ?/ ?| ?[\[(]?slash[\])]? ?)(?P<rest>[+@~a-z0-9_-][\w+./~-]{2,64})"
)
# Numbers and addresses with their scheme are read as numbers and addresses.
_OTHER_KINDS = frozenset({"tel", "mailto"})
# "line:mira_k", "tg:@mira_k" and "whatsapp:+44" are labels and names, not links.
_LABELLED_NAME = re.compile(r"(?!\d+$)[A-Za-z0-9._#~-]{3,40}|@[A-Za-z0-9_.]{3,40}")
_LABELLED_NUMBER = re.compile(r"\+\d[\d().-]*")
_NUMBER_SCHEMES = frozenset({"sms", "smsto", "imessage", "facetime"})
# "@ana.hr" and "id: ana.hr" name an account; domains that are mostly sites stay links.
_SERVICES = "|".join(
    sorted(
        name.lower().removesuffix("*")
        for service in lexicon.read("platforms")["service"]
        for name in (*service.get("names", ()), *service.get("common", ()))
        if " " not in name
    )
)
_NAMED_BEFORE = re.compile(
    rf"(?:(?<![^\W_])(?:{_SERVICES})\s?(?:[:(=]|is|ist|est|es|é|이?[은는])\s?|@|"
    r"(?<![^\W_])(?:id|name|user ?name|user|nick|pseudo|identifiant|usuario|usuário|handle|kennung|ник)"
    r"\s?(?::|=|is|ist|est|es|é)?\s?|(?:아이디|帳號|账号|帐号|号|號|昵称)\s?[:是는은]?\s?)$"
)
_SITES = frozenset({"com", "org", "net", "edu", "gov", "io", "co", "eu", "int", "info", "example"})
_TRAILING = ".,;:!?'\"*_>…"
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class FoundUrl:
    """A link at view[start:end]: `url` is its unwrapped target, `obfuscated` if it was disguised."""

    start: int
    end: int
    url: str
    obfuscated: bool = False


def locate_urls(passage: Passage) -> list[FoundUrl]:
    """All links of a passage in text order, without overlaps."""
    text, folded = passage.text, passage.folded
    found = _with_scheme(text, folded)
    found += [
        FoundUrl(hit.start, end, text[hit.start : end])
        for hit in passage.hits("scheme")
        if hit.key not in _OTHER_KINDS
        and (end := _end_of_opaque(text, hit.end)) > hit.end
        and not _LABELLED_NAME.fullmatch(text, hit.end, end)
        and (hit.key in _NUMBER_SCHEMES or not _LABELLED_NUMBER.fullmatch(text, hit.end, end))
    ]
    found += [url for url in _bare(text, folded) if not _is_name(folded, url)]
    if _DEFANGED_DOT.search(folded):
        found += _defanged(text, folded)
    found += [
        FoundUrl(
            match.start(),
            match.start("rest") + len(_trimmed(text[match.start("rest") : match.end()])),
            f"https://{match['host']}.{match['tld']}/{_trimmed(text[match.start('rest') : match.end()])}",
            True,
        )
        for match in _SPACED_LINK.finditer(folded)
        if " " in match.group() or "dot" in match.group()
    ]
    found.sort(key=lambda url: (url.start, -url.end))
    kept: list[FoundUrl] = []
    for url in found:
        if not kept or url.start >= kept[-1].end:
            kept.append(url)
    return kept[:MAX_HITS]


def _is_name(folded: str, url: FoundUrl) -> bool:
    """Whether a bare host is the name of an account: "@ana.hr", "Skype name ana.partners"."""
    written = folded[url.start : url.end]
    return (
        written.count(".") == 1
        and "/" not in written
        and written.rpartition(".")[2] not in _SITES
        and _NAMED_BEFORE.search(folded, max(0, url.start - 24), url.start) is not None
    )


def find_urls(passage: Passage, found: list[FoundUrl] | None = None) -> list[EntityResult]:
    """URL entities; the value is the unwrapped, normalised address."""
    return [
        passage.entity(
            EntityType.URL,
            url.start,
            url.end,
            normalised_url(url.url),
            flags=("obfuscated",) if url.obfuscated else (),
        )
        for url in (locate_urls(passage) if found is None else found)
    ]


def normalised_url(url: str) -> str:
    """Scheme and host in lower case (A-labels), wrappers off, bare names with https://."""
    url = unwrapped(_shaped(url))
    return _shaped(url)


def split_url(url: str) -> tuple[str, str, str]:
    """(scheme, host, rest with leading '/', '?' or '#'); host is '' for opaque schemes."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, _, rest = url.partition(":")
        return scheme.lower(), "", rest
    for index, char in enumerate(rest):
        if char in "/?#":
            return scheme.lower(), rest[:index], rest[index:]
    return scheme.lower(), rest, ""


def _shaped(url: str) -> str:
    if "://" not in url:
        scheme, colon, _ = url.partition(":")
        if colon and scheme.isalnum() and not url[len(scheme) + 1 : len(scheme) + 2].isdigit():
            return scheme.lower() + url[len(scheme) :]
        if colon and scheme.lower() in ("tel", "sms", "imessage", "smsto"):
            return scheme.lower() + url[len(scheme) :]
        url = "https://" + url
    scheme, host, rest = split_url(url)
    scheme = scheme.replace("hxxp", "http")
    host = host.rpartition("@")[2].lower().rstrip(".")
    for default in (":80", ":443"):
        host = host.removesuffix(default)
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            host = unquote(host)
    return f"{scheme}://{host}{'' if rest == '/' else rest}"


def _with_scheme(text: str, folded: str) -> list[FoundUrl]:
    found = []
    at = folded.find("://")
    while at != -1:
        back = max(0, at - 16)
        before = _WEB_SCHEME_BACK.search(folded, back, at) or _SCHEME_BACK.search(folded, back, at)
        after = _AFTER_SCHEME.match(text, at + 3)
        if before and after and (host := _HOST.match(text, at + 3)):
            end = host.end()
            rest = _REST.match(text, end)
            end = rest.end() if rest else end
            raw = _trimmed(text[before.start() : end])
            if len(raw) > at + 3 - before.start():
                found.append(
                    FoundUrl(
                        before.start(),
                        before.start() + len(raw),
                        raw,
                        before.group().startswith("hxxp"),
                    )
                )
        at = folded.find("://", at + 3)
    return found


def _bare(text: str, folded: str) -> list[FoundUrl]:
    found = []
    taken = 0
    for dot in _DOT_TLD.finditer(text):
        tld = dot.group(1)
        if dot.start() < taken or not (tld in _TLDS or tld.startswith("xn--")):
            continue
        left = _LABEL_BACK.search(folded, max(taken, dot.start() - 120), dot.start())
        if left is None or ".." in left.group():
            continue
        start, end = left.start(), dot.end() + len(tld)
        if start and (folded[start - 1] in "@._-/\\~$=%" or _is_word(folded[start - 1])):
            continue
        if folded[start - 1 : start] == ":" and _MATRIX_LOCAL_BACK.search(
            folded, max(0, start - 66), start
        ):
            continue
        if (
            end < len(text)
            and folded[end] == "."
            and end + 1 < len(text)
            and folded[end + 1].isalnum()
        ):
            continue  # a longer name: the next dot decides
        if port := _PORT.match(text, end):
            end = port.end()
        rest = _REST.match(text, end)
        host = folded[start : dot.end()] + tld
        if tld in _DOUBTFUL and host not in _SHORT_HOSTS and not host.startswith("www."):
            if rest is None or rest.end() - rest.start() < 2:
                continue
        elif len(tld) == 2 and not _is_plausible(host):
            continue
        raw = _trimmed(text[start : rest.end() if rest else end])
        found.append(FoundUrl(start, start + len(raw), raw))
        taken = start + len(raw)
    return found


def _is_word(char: str) -> bool:
    """CJK text may touch a link; letters of spaced scripts may not."""
    return char.isalnum() and char < "\u0590"


def _is_plausible(host: str) -> bool:
    labels = host.split(".")
    return host in _SHORT_HOSTS or (len(labels[-2]) >= 2 and any(c.isalpha() for c in labels[-2]))


def _defanged(text: str, folded: str) -> list[FoundUrl]:
    found = []
    for match in _DEFANGED.finditer(folded):
        raw = _trimmed(match.group())
        if not _DEFANGED_DOT.search(raw):
            continue
        host = _BRACKETS.sub(lambda part: "." if part.group() == "dot" else "", match["host"])
        host = host.replace("..", ".")
        if "." not in host or not host.rpartition(".")[2].isalpha():
            continue
        if match.start() and folded[match.start() - 1] == "@":
            continue
        end = match.start() + len(raw)
        rest = text[match.end("host") : end]
        scheme = (match["scheme"] or "https").replace("xx", "tt")
        found.append(FoundUrl(match.start(), end, f"{scheme}://{host}{rest}", True))
    return found


def _end_of_opaque(text: str, start: int) -> int:
    if start >= len(text) or not (text[start].isalnum() or text[start] in "+/?@_"):
        return start
    match = _AFTER_SCHEME.match(text, start)
    if not match:
        return start
    body = text[start : match.end()]
    cut = next(
        (i for i, char in enumerate(body) if not char.isascii() or char in ",;)]"), len(body)
    )
    return start + len(_trimmed(body[:cut]))


def _trimmed(raw: str) -> str:
    """Without punctuation that belongs to the sentence, keeping balanced brackets."""
    while raw:
        last = raw[-1]
        if last in _TRAILING or (last in _PAIRS and raw.count(last) > raw.count(_PAIRS[last])):
            raw = raw[:-1]
        else:
            break
    return raw
