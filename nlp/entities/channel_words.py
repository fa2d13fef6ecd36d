"""Words around the name of a service that make it a channel: "continue on", "my", "号", "로 연락".

Patterns only; `platforms` says which of them are enough for which name.
"""

import re

from nlp import lexicon
from nlp.entities.services import alternatives

CONTEXT = lexicon.read("platforms")["context"]
BEFORE_LIMIT, AFTER_LIMIT, HANDLE_REACH = 64, 48, 88

CLAUSE_END = re.compile(r"[.!?。！？;；\n](?=\s|$|[^\x00-\x7f])|\n")
MOVE = re.compile(rf"(?<![^\W_])(?:{alternatives(CONTEXT['moves'])})(?![^\W_])")
MOVE_AHEAD = re.compile(rf"\s(?:{alternatives(CONTEXT['moves'])})(?![^\W_])")
CLAUSE_ENDS = re.compile(r"\s*(?:$|[.,;:!?)\n])|\s(?:or|and|please|instead|if|ou|oder|o|или)\s")
PREPOSITION = re.compile(
    rf"(?<![^\W_])(?:{alternatives(CONTEXT['prepositions'])})\s(?:the\s|le\s|la\s|el\s|o\s)?$"
)
PREPOSITION_OF_SLANG = re.compile(
    rf"(?<![^\W_])(?:{alternatives(CONTEXT['prepositions_of_slang'])})\s$"
)
CHANNEL_PREPOSITION = re.compile(
    r"(?<![^\W_])(?:via|on|over|per|por|al|pelo|pela|no|meu|bei|auf|über|sur|par|en|by|в|через|на)\s$"
)
CHANNEL_BEFORE = re.compile(
    r"(?<![^\W_])(?:on|via|over|through|sur|auf|über|per|por|no|pelo|в|через|на|على|عبر)\s"
    r"(?:(?:our|your|my|notre|votre|unser\w*|euer\w*|nuestro|vuestro|nosso|meu|seu|наш\w*)\s)?$"
)
BY = re.compile(r"(?<![^\W_])(?:by|por|par|com|mit|con)\s$")
BY_AHEAD = re.compile(r"\s(?:on|at|to|under|a|à|an|unter|al|com|de|no)\s\(?[@+\d]")
# What one does with an application, and what an application is called.
USED_BEFORE = re.compile(
    r"(?<![^\W_])(?:use|using|uses|install\w*(?:\sdonc)?|download\w*|get|keep|nimm|nehmen\ssie|nutz\w*|prends|prenez|instálate|"
    r"instal[ae]\w*|usa|usamos|usem|baix[ae]|скача\w*|установ\w*|постав\w*|app|appli|application|aplicación|aplicativo|"
    r"messagerie|messenger|приложени\w*|мессенджер\w*|تطبيق|برنامج|(?:canal|salon|grupo|groupe|gruppe|chat|групп\w*|чат\w*|канал\w*)(?:\s(?:de|do|da|du|sur|bei|в))?|"
    r"prefers?|likes?|mag|mögen|lieber|bevorzug\w*|préfère|aime|prefiere|prefere|gosta\sdo|предпочита\w*|любит|"
    r"(?:servidor|serveur|salon|canal|grupo)(?:\s\w+){0,3}\s(?:en|no|sur))\s$"
)
# "has Signal on her new phone": where an application is.
ON_DEVICE = re.compile(
    r"\s(?:on|auf|en|no|na|sur|на|в|على|في)\s(?:\w+\s){0,2}(?:phone|mobile|tablet|laptop|telefon\w*|handy|teléfono|móvil|celular|"
    r"telefone|telemóvel|téléphone|portable|телефон\w*|смартфон\w*|планшет\w*|هاتف\w*|جوال\w*)(?![^\W_])"
)
SOLO_BEFORE = re.compile(
    rf"(?<![^\W_])(?:{alternatives(CONTEXT['prepositions'])}|with|avec|con|com|with the|an?|une?|um|into|install\w*|using|nach|zu|pour|from)\s$"
)
MAILBOX_BEFORE = re.compile(
    r"(?<![^\W_])(?:from|to|at|on|via|my|your|our|his|her|its|an?|the|de|à|mon|ma|une?|votre|ton|ta|notre|von|an|ein\w{0,2}|mein\w*|ihr\w*|dein\w*|desde|mi|su|tu|una|do|da|meu|seu|teu|"
    r"para|com|o|um|uma|с|на|в|мой|свой|ваш|or|oder|ou|или)\s(?:other\s|private\s|own\s|new\s|neues?\s|nouveau\s)?$"
)
SURE_AFTER_PREPOSITION = frozenset(CONTEXT["sure_after_preposition"])
STRICT = frozenset(CONTEXT["strict"])
POSSESSIVE = re.compile(rf"(?<![^\W_])(?:{alternatives(CONTEXT['possessives'])})\s(?:\w+\s)?$")
FOLLOWER = re.compile(rf"\s?(?:[:=(@]|['’]s\s|(?:{alternatives(CONTEXT['followers'])})(?![^\W_]))")
LABEL = re.compile(
    r"\s?(?:id|username|user|handle|number|no\.?|nr\.?|号|號|账号|帐号|아이디)?(?P<sign>\s?(?::|→)\s*|\s->\s|\s)"
    r"(?P<value>[@~+]?[a-z0-9][\w.+#-]{2,40})(?P<last>\s*(?:$|\n|[,;/|)(]))?"
)
AT_AFTER = re.compile(
    r"[\s:(,.-]{0,3}(?:(?:at|under|as|au|sous|unter|als|en|como|no|em|по|под|also|aussi|auch|también|também|тоже|dms?|msgs?)[\s:(]{1,3})?(?:@[a-z0-9_]{3,}|\+\d[\d ()-]{5,})"
)
HANDLE_BEFORE = re.compile(
    r"(?:@[a-z0-9_]{3,32}|(?<![a-z0-9])[a-z][a-z0-9_]{2,30}[.#]\d{2,9}|\+?\d[\d ().-]{6,20}\d)\s?"
    r"(?:[(,/|-]|\(?(?:tel|tél|phone|mobile|call|voice)[,/&+])?\s?(?:(?:also|aussi|auch|también|também|также|same|idem)\s)?"
    r"(?:on |via |over |by |sur |auf |per |en |por |no |pelo |в |на |على )?$"
)
PHONE_AFTER = re.compile(
    r"(?P<sign>\s?(?:[-/+&]\s?(?:tel|tél|phone|call)\s?)?)(?:[ -]?(?:number|no\.?|nr\.?|nummer|num[ée]ro|номер|번호|号码|號碼|号|號))?"
    r"(?:\s?[:=(,/-]\s?|\s(?:is|ist|est|es|é|at|under|au|an|à|to|unter|al|no|на|по|على|هو)\s|\s?[는은是]\s?|\s){0,2}\(?\+?\d[\d ().-]{6,20}\d(?![\d%])"
)
ALSO_TAILS = ("라인", "줌", "لاين", "تلي", "تيلي", "زوم", "سشن", "تيمز")
# A label and a number: enough for slang too, but "Seattle, WA: (206) ..." is a place.
NUMBER_LABELLED = re.compile(r"\s?[:=]\s?\(?\+?\d[\d ().-]{6,20}\d(?![\d%])")
V_LABELLED = re.compile(r"\s?[:=]\s?[a-z][a-z0-9_-]{4,19}")
# As labels of numbers these are what they say: a telephone line, a bank's wire.
NUMBER_WORDS = frozenset({"line", "wire", "session"})
QQ_NUMBER = re.compile(r"\s?[1-9]\d{4,10}(?!\d)")
SELF_WORDS = re.compile(r"^\s?me\b(?! a\b)")
BEFORE_CJK = re.compile(rf"(?:{alternatives(CONTEXT['before_cjk'])})\s?$")
BEFORE_FIGURATIVE = re.compile(rf"(?:{alternatives(CONTEXT['before_figurative'])})\s?$")
AFTER_CJK = re.compile(rf"\s?(?:{alternatives(CONTEXT['after_cjk'])})")
AFTER_HANGUL = re.compile(
    r"\s?(?:으로|로|에서|에)?\s?(?:[^\s.]{1,20}\s)?(?:연락|주세요|주십시오|오세요|와|이야기|얘기|대화|옮|이어|검색|추가|찾|말씀|톡|해요|하죠|합시다|할게|하세요|뵙|까셨|까시|깔았|깔고|설치|쓰세요|써요|쓰셔)"
)
FIGURATIVE = frozenset(CONTEXT["figurative"])
_JOINERS = alternatives(CONTEXT["joiners"])
JOINER = re.compile(rf"\s*(?:{_JOINERS})\s*")
# In a list of names each may have a noun or a handle of its own: "the WhatsApp group or Signal",
# "WeChat (lan_88) and later Signal", "on Face or on Insta".
LIST_JOINER = re.compile(
    r"(?:[ -]?(?:gruppen?|groups?|groupes?|grupos?|chats?|accounts?|ids?|konto))?(?:\s?\([^()\n]{3,40}\))?"
    rf"\s*(?:{_JOINERS})(?:\s*(?:{_JOINERS}))?\s*"
    r"(?:(?:an?|une?|ein\w{0,2}|um|later|dann|then|puis|luego|depois|потом|by|on|via|en|no|na|sur|auf|por|per|в|на|по|your|my|the|el|le|la|o)\s)?"
)


def clause_before(folded: str, start: int) -> str:
    window = folded[max(0, start - BEFORE_LIMIT) : start]
    cut = 0
    for end in CLAUSE_END.finditer(window):
        if end.end() < len(window):
            cut = end.end()
    return window[cut:]


def is_moved_to(folded: str, start: int) -> bool:
    """Whether a preposition, a possessive or a verb of moving stands before in the clause."""
    before = clause_before(folded, start)
    return bool(
        PREPOSITION.search(before)
        or POSSESSIVE.search(before)
        or MOVE.search(before)
        or BEFORE_CJK.search(before)
    )
