"""Names of services in disguise: split by signs, pictures or line ends, or written in leet.

What NFKC and the table of look-alikes undo is undone before (`nlp.normalise`).
"""

import re
from itertools import islice

import re2

from nlp.entities.channel_words import is_moved_to
from nlp.entities.passage import MAX_HITS, Mention

# Long names that cannot be two words by chance: whatsapp in pieces is still whatsapp.
_SPLITTABLE = {
    "whatsapp": "whatsapp",
    "telegram": "telegram",
    "kakaotalk": "kakaotalk",
    "threema": "threema",
    "weixin": "wechat",
    "wechat": "wechat",
    "protonmail": "proton",
    "dingtalk": "dingtalk",
    "instagram": "instagram",
    "snapchat": "snapchat",
    "batchat": "batchat",
}
# Signs of lists, and pictures; a line may break behind a hyphen.
_PICTURES = "\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff"
_GAP = rf"(?:[ .\-_*·•|~'/+\n{_PICTURES}]|[ -]\n)?"
_HARD_GAP = rf"(?:[.\-_*·•|~'/+{_PICTURES}]|[ -]?\n)?"  # "we chat", "batch at" are English
_SPLIT = re2.compile(
    r"(?i)(?:^|[^a-z0-9])("
    + "|".join(
        (_HARD_GAP if name in ("wechat", "batchat") else _GAP).join(name) for name in _SPLITTABLE
    )
    + r")(?:$|[^a-z0-9])"
)
_PLAIN_SPLITS = frozenset(
    {
        "whats app",
        "what's app",
        "kakao talk",
        "whats-app",
        "kakao-talk",
        "we-chat",
        "proton mail",
        "proton-mail",
        "ding talk",
        "snap chat",
        "bat chat",
    }
)
# Names that are words too: broken over lines or in leet they need a preposition, a possessive or a
# verb of moving before them.
_WORD_NAMES = {
    "signal": "signal",
    "session": "session",
    "matrix": "matrix",
    "messenger": "messenger",
    "potato": "potato",
    "discord": "discord",
    "simplex": "simplex",
    "feishu": "lark",
    "teams": "teams",
    "zoom": "zoom",
    "wire": "wire",
    "line": "line",
    "zalo": "zalo",
    "wecom": "wecom",
    "botim": "botim",
    "eitaa": "eitaa",
}
_BROKEN = re2.compile(
    r"(?i)(?:^|[^a-z0-9])("
    + "|".join(r"(?:[ -]?\n)?".join(name) for name in _WORD_NAMES if len(name) > 5)
    + r")(?:$|[^a-z0-9])"
)
_LEET_NAMES = {**_SPLITTABLE, **_WORD_NAMES, "skype": "skype", "viber": "viber"}
# The dotless i is a letter of Turkish: a disguise only inside the name of a service.
_LEET_SIGN = re.compile(r"[0-9@$!|ı](?=[a-z])|(?<=[a-z])[0-9@$!|ı]")
_LEET_BACK = re.compile(r"[a-z0-9@$!|ı]{0,13}$")
_LEET_TOKEN = re.compile(r"[a-z0-9@$!|ı]{4,14}(?![a-z0-9ı])")
_LEET = [
    str.maketrans("430157@$!|ı", "aeoistasili"),
    str.maketrans("430157@$!|ı", "aeolstaslii"),
]
_LETTERS_OUT = re.compile(r"[^a-z]")


def disguised_mentions(text: str, folded: str) -> list[Mention]:
    found = []
    for match in islice(_SPLIT.finditer(folded), MAX_HITS):
        written = match.group(1)
        name = _LETTERS_OUT.sub("", written)
        if written != name and written not in _PLAIN_SPLITS:
            found.append(Mention(match.start(1), match.end(1), _SPLITTABLE[name], True))
    if "\n" in folded:
        for match in islice(_BROKEN.finditer(folded), MAX_HITS):
            name = _LETTERS_OUT.sub("", match.group(1))
            is_name = match.group(1) != name and text[match.start(1)].isupper()
            if is_name and is_moved_to(folded, match.start(1)):
                # Printed columns break words like that: no disguise by itself.
                found.append(Mention(match.start(1), match.end(1), _WORD_NAMES[name]))
    for sign in islice(_LEET_SIGN.finditer(folded), MAX_HITS):
        back = _LEET_BACK.search(folded, max(0, sign.start() - 13), sign.start())
        token = _LEET_TOKEN.match(folded, back.start() if back else sign.start())
        if token is None:
            continue
        written = token.group().rstrip("!|")
        name = next((n for table in _LEET if (n := written.translate(table)) in _LEET_NAMES), "")
        if (
            not name
            or name == written
            or (name in _WORD_NAMES and not is_moved_to(folded, token.start()))
        ):
            continue
        found.append(Mention(token.start(), token.start() + len(written), _LEET_NAMES[name], True))
    return found
