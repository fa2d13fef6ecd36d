"""Takes link-protection and redirect wrappers off a URL by their published rules, offline.

Mimecast keeps the target on its own server; only its domain can be read off the wrapper.
Failure: a wrapper that does not follow its rule is returned as it is.
"""

import base64
import binascii
import re
from urllib.parse import parse_qs, unquote

_MAX_LAYERS = 4

# Host suffix, path prefix, names of the parameter that holds the target.
_PARAMETER_WRAPPERS = (
    ("safelinks.protection.outlook.com", "/", ("url",)),
    ("safelinks.protection.office365.us", "/", ("url",)),
    ("google.com", "/url", ("q", "url")),
    ("l.facebook.com", "/l.php", ("u",)),
    ("lm.facebook.com", "/l.php", ("u",)),
    ("l.instagram.com", "/", ("u",)),
    ("linkedin.com", "/redir/redirect", ("url",)),
    ("linkedin.com", "/safety/go", ("url",)),
    ("youtube.com", "/redirect", ("q",)),
    ("vk.com", "/away.php", ("to",)),
    ("linkprotect.cudasvc.com", "/url", ("a",)),
    ("steamcommunity.com", "/linkfilter/", ("u", "url")),
    ("urldefense.proofpoint.com", "/v1/url", ("u",)),
    ("slack-redir.net", "/link", ("url",)),
    ("duckduckgo.com", "/l/", ("uddg",)),
    ("t.umblr.com", "/redirect", ("z",)),
)
_DEFENSE_HOSTS = frozenset({"urldefense.com", "urldefense.us", "urldefense.proofpoint.com"})
_DEFENSE_V3 = re.compile(r"/v3/__(?P<url>.+?)__;(?P<bytes>[\w=-]*)")
_DEFENSE_RUN = re.compile(r"\*(?:\*(?P<length>[A-Za-z0-9_-]))?")
_RUN_LENGTHS = {
    char: index + 2
    for index, char in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
}
_CISCO = re.compile(r"^/[\w-]{20,}/(?P<url>https?(?:%3A|:).+)$", re.IGNORECASE)


def unwrapped(url: str) -> str:
    """The target behind at most four layers of known wrappers."""
    for _ in range(_MAX_LAYERS):
        target = _one_layer(url)
        if not target or target == url:
            break
        url = target
    return url


def _one_layer(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return ""
    host, slash, tail = rest.partition("/")
    host = host.lower().partition(":")[0]
    if "?" in host:
        host, _, query = host.partition("?")
        tail = f"?{query}"
    path, _, query = (slash + tail).partition("?")
    query = query.partition("#")[0]
    if host == "urldefense.proofpoint.com" and path == "/v2/url":
        values = parse_qs(query).get("u", [])
        return unquote(values[0].translate(str.maketrans("-_", "%/"))) if values else ""
    if host in _DEFENSE_HOSTS and path.startswith("/v3/"):
        return _defense_v3(f"/{tail}")
    if host.endswith("mimecast.com") and path.startswith("/s/"):
        domains = parse_qs(query).get("domain", [])
        return f"https://{domains[0]}" if domains else ""
    if host == "secure-web.cisco.com" and (match := _CISCO.match(path)):
        return unquote(match["url"])
    for suffix, prefix, names in _PARAMETER_WRAPPERS:
        if (host == suffix or host.endswith(f".{suffix}")) and (path or "/").startswith(prefix):
            parameters = parse_qs(query)
            for name in names:
                target = parameters.get(name, [""])[0]
                if target.lower().startswith(("http://", "https://")):
                    return target
    return ""


def _defense_v3(tail: str) -> str:
    """`*` stands for the next saved byte, `**X` for a run of them whose length X tells."""
    match = _DEFENSE_V3.search(tail)
    if not match:
        return ""
    encoded = match["bytes"].rstrip("=")
    try:
        saved = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    position = 0

    def restore(run: re.Match[str]) -> str:
        nonlocal position
        length = _RUN_LENGTHS[run["length"]] if run["length"] else 1
        piece = saved[position : position + length]
        position += length
        return piece

    target = _DEFENSE_RUN.sub(restore, match["url"])
    return re.sub(r"^(https?):/(?!/)", r"\1://", target)
