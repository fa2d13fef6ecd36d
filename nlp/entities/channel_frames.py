"""Sentences that make a doubtful name a channel, whatever stands right behind it.

"Got Signal?", "by phone or Teams", "an app called Session", "if Zoom fails", "on Teams in May",
"急事 LINE 我": somebody is asked for it, it stands among other ways to write or speak, or it is said
to be an application. The case of the name must be that of the service; German, which writes every
noun so, is left out where a capital would be all.
"""

import re

from nlp.entities.channel_words import (
    CHANNEL_BEFORE,
    CLAUSE_ENDS,
    SURE_AFTER_PREPOSITION,
    USED_BEFORE,
)
from nlp.entities.passage import Hit, Passage

# No service is among these: that a sure one stands beside is for `platforms` to see, whichever it is.
_WAYS = (
    r"(?:e-?mails?|mails?|(?:tele)?phones?|calls?|texts?|sms|telefon\w*|anruf|handy|courriels?|courrier|téléphone|appel|textos?|"
    r"correo|teléfono|llamada|móvil|celular|telefone|telemóvel|ligação|post|letter|in person|tête-à-tête|in bar|chat|"
    r"почт\w*|телефон\w*|звон\w*|смс|poste)"
)
_OR = r"(?:\s?[,/]\s?|\s(?:or|nor|oder|ou|o|или|либо|ni|nem|noch)\s|,\s(?:or|oder|ou|o|или)\s)"
_BY = r"(?:(?:by|per|via|on|over|über|auf|par|sur|por|pelo|по|в|через|the|a|mein|le|la|el|o)\s)?"
_WAY_BEFORE = re.compile(rf"(?<![^\W_]){_WAYS}(?:\s\w{{2,12}})?{_OR}{_BY}$")
_WAY_BEHIND = re.compile(rf"(?:\s(?:or|nor|oder|ou|o|или|либо)\s|,\s){_BY}{_WAYS}(?![^\W_])")
_ASKED_FOR = re.compile(
    r"(?<![^\W_])(?:got|(?:have|'ve|use|using|do you have|do you use|are you on|anyone on|any) ?|you've|haben sie|habt ihr|hast du|hätten sie|"
    r"hättest du|nutzen sie|nutzt du|avez-vous|as-tu|auriez-vous|aurais-tu|utilisez-vous|tienes|tiene|tenéis|usas|tens?|tem|usas?|"
    r"есть(?: ли)?(?: у (?:вас|тебя))?|у (?:вас|тебя) есть|нет ли у (?:вас|тебя))"
    r"(?:\s(?:a|an|on|the|o|le))?\s?$"
)
_PREFERRED = re.compile(
    r"(?<![^\W_])(?:prefiero|prefiro|préfère|préférerais|prefer|bevorzuge|uso|usamos|usiamo|empleo|suggest|recommend|propose|proponho|propongo|"
    r"conseille|empfehle|предпочитаю|предлагаю|использую)\s$"
)
_CALLED = re.compile(
    r"(?<![^\W_])(?:called|named|genannt|namens|appelée?|nommée?|llamad[ao]|chamad[ao]|под названием)\s[\"'„“”«‘]?\s?$"
    r"|(?<![^\W_])(?:app|appli|application|aplicación|aplicativo|приложени\w{1,2}|programm?|messenger)\s[\"'„“”«‘]\s?$"
)
_OWN = re.compile(
    r"(?<![^\W_])(?:my|your|our|his|her|mon|ton|votre|notre|mi|tu|su|meu|teu|seu|vosso|мой|твой|ваш|свой|наш)"
    r"(?:\s(?:own|private|personal|perso|pessoal|personnel|личный))?\s$"
)
_OWN_SLANG = re.compile(
    r"(?<![^\W_])(?:your|ur|my|mon|ton|mi|tu|su|meu|teu|seu|o seu|tem|tens|tienes|tiene|мой|твой|ваш|свой)\s$"
)
_SLANG_OWNED = SURE_AFTER_PREPOSITION | {"протон", "whats", "zap"}
_IF = re.compile(r"(?:^|[\s,;(])(?:if|falls|wenn|si|se|если|should|when|unless)\s$")
_FAILS = re.compile(
    r"\s(?:is|are|fails?|plays|breaks|doesn't|won't|works?|drops|ist|geht|nicht|ne|no|não|не|est|vous|te|te va|le|la|tombe|falla|falha)(?![^\W_])"
)
_ASKED = re.compile(
    r"\s?\?|\s(?:later|today|tonight|tomorrow|instead|heute|morgen|demain|plutôt|mañana|mejor|hoje|amanhã|сегодня|завтра)\s?\?"
)
_ALONE = re.compile(
    r"\s(?:only|uniquement|seulement|solo|solamente|só|apenas|только|please|works|preferred|preferably|si (?:vous|tu)|if you|pour qui)(?![^\W_])"
    r"|,?\s(?:s'il vous plaît|por favor|please|bitte)"
)
_PLACED = re.compile(
    r"(?<![^\W_])(?:by|par|bei|en|on|via|over|per|sur|über|auf|por|pelo|в|через|по)\s$"
)
# What mostly tells of a thing ("session with", "teams in"), but not behind "on" or "via".
_MERE_PREPOSITION = re.compile(
    r"[ -](?:in|at|of|from|and|with|on|across|within|up|to|by)(?![^\W_])"
)
# These are common words even with a capital at the start of something.
_WORDS = frozenset({"Line", "Wire", "Session", "Element", "Matrix", "Potato", "Max", "Threads"})

_HAN = r"[\u3400-\u9fff]"
_SENT_IN_HAN = re.compile(
    r"(?:[传傳丟丢打用装裝走搜存留抛拋]|下载|下載|注册|註冊|私訊|私讯|急事|急的话|急的話|装个|裝個|开个|開個|改用|通过|透過|以私人|私人|自己的|新的?)\s?$"
)
_AMONG_HAN = re.compile(rf"(?:^|[\u3000-\u303f\uff00-\uff0f，。、；：的和或與与及]|{_HAN})\s?$")
_ASKED_IN_HAN = re.compile(
    r"\s?(?:我|同[號号手]|聯絡|联系|聯繫|都行|都可|也行|也可|皆可|即可|回[個个覆复我]|語音|语音|視訊|视频|社群|群[組组]?|通話|通话|給|给|加我|找我|加好友|留言|私訊|私讯)"
)
_TECHNICAL = re.compile(
    r"\s?(?:pay|函数|函數|过期|對象|对象|处理|處理|分析|强度|強度|矩阵|矩陣|文件)"
)
_TOLD_IN_HANGUL = re.compile(
    r"\s?(?:주세요|주셔도|주시면|주십시오|남겨|쪽지|단체방|앨범|하나 (?:파|만드|열)|메일을? |드려요|드릴게|에 올리|에선|에 올려|, ?(?:전화|메일|카톡)|이나 (?:문자|전화|카톡|메일))"
)


def is_framed(passage: Passage, hit: Hit, before: str, after: str, *, is_form: bool) -> bool:
    """Whether the sentence asks for the name at `hit` as a channel; `before` and `after` are folded."""
    written = passage.folded[hit.start : hit.end]
    if written[0] >= "\uac00":
        is_written = not before[-1:].isalnum() and hit.key != "sms"
        return is_written and _TOLD_IN_HANGUL.match(after) is not None
    if not is_form:
        return (
            written in _SLANG_OWNED
            and _OWN_SLANG.search(before) is not None
            and (CLAUSE_ENDS.match(after) is not None or after[1:2].isalpha())
        )
    if "han" in passage.scripts and (before[-2:].strip() or "，")[-1] >= "\u2e80":
        return _in_han(before, after)
    return _in_spaced(passage.text[hit.start : hit.end], before, after)


def is_placed(before: str, after: str) -> bool:
    """Whether a preposition of channels before outweighs a preposition behind: "on Teams in May"."""
    return _MERE_PREPOSITION.match(after) is not None and bool(
        _PLACED.search(before) or CHANNEL_BEFORE.search(before) or USED_BEFORE.search(before)
    )


def _in_spaced(name: str, before: str, after: str) -> bool:
    ends = CLAUSE_ENDS.match(after) is not None
    if _CALLED.search(before):
        return True
    if ends and (_ASKED_FOR.search(before) or _PREFERRED.search(before)):
        return True
    if name == "Line":
        return False
    if (ends and _WAY_BEFORE.search(before)) or _WAY_BEHIND.match(after):
        return True
    begins = not before.strip()
    if _ASKED.match(after) and (begins or before.endswith((", ", "or ", "oder ", "ou ", "o "))):
        return True
    if name in _WORDS:
        return ends and _OWN.search(before) is not None
    if begins and _ALONE.match(after):
        return True
    if _OWN.search(before) and (ends or after[1:2].isalpha()):
        return True
    return _IF.search(before) is not None and _FAILS.match(after) is not None


def _in_han(before: str, after: str) -> bool:
    if _TECHNICAL.match(after) or (
        after[:2].strip()[:1].isascii() and after[:2].strip()[:1].isalnum()
    ):
        return False
    if _SENT_IN_HAN.search(before):
        return True
    return _AMONG_HAN.search(before) is not None and _ASKED_IN_HAN.match(after) is not None
