"""People: display names, introductions, forms of address, the name under a letter.

Rules of structure in every supported language; a name is never looked up and nothing is guessed
from it. What is found serves masking and correlation, never a score.
"""

import re
from collections.abc import Sequence

from nlp.analysis import EntityResult, EntityType
from nlp.entities.names import (
    ARABIC_NAME,
    HAN_NAME,
    HANGUL_NAME,
    LATIN_FULL_NAME,
    LATIN_NAME,
    is_name_line,
    is_small_name_line,
)
from nlp.entities.passage import Passage

_MAX_NAMES = 30

# "My name is ..." : whatever capitalised words follow are a name.
_INTRODUCED = re.compile(
    r"(?<![^\W_])(?i:my name is|my name's|the name is|call me|my colleague|our colleague|"
    r"je m['’]appelle|mon nom est|je me nomme|je me présente ?[:,]|mon collègue|ma collègue|"
    r"ich heiße|ich heisse|mein name ist|mein kollege|meine kollegin|me llamo|mi nombre es|mi colega|"
    r"meu nome é|me chamo|chamo-me|o meu nome é|meu colega|minha colega|"
    r"меня зовут|моё имя|мое имя|мой коллега|моя коллега|il mio nome è|mi chiamo)"
    rf"(?: is| est| ist| es| é)?,? (?P<name>{LATIN_NAME})"
)
# "I am ..." may go on with anything: a full name, or one that a post or firm follows.
_I_AM = re.compile(
    r"(?<![^\W_])(?i:i am|i['’]m|this is|it['’]s|je suis|ici|ich bin|hier ist|hier schreibt|soy|le escribe|sou|aqui é|с вами|это)"
    rf" (?P<name>{LATIN_FULL_NAME}|{LATIN_NAME}(?=,? (?i:from|with|of|at|and i|de chez|du cabinet|von|vom|bei|de la|del|da|из|от)\b))"
)
_ADDRESSED = re.compile(
    r"(?<![^\W_])(?:Mr|Mrs|Ms|Mx|Miss|Dr|Prof|Professor|Doctor|Sir|Madam|M|Mme|Mlle|Monsieur|Madame|Docteur|Professeur|Me|"
    r"Herr|Herrn|Frau|Sr|Sra|Señor|Señora|Doña|Don|Srta|Dra|Senhor|Senhora|Ing|"
    r"г-н|г-жа|господин|госпожа|Уважаемый|Уважаемая|уважаемый|уважаемая|Господин|Госпожа|Sig|Signor|Pan|Pani)\.?"
    rf" (?P<name>(?:(?:Dr|Prof|Ing)\.? )?{LATIN_NAME})"
)
_GREETED = re.compile(
    r"^[ \t>]*(?i:dear|hi|hello|hey|good (?:morning|afternoon|evening|day)|greetings|bonjour|bonsoir|salut|cher|chère|"
    r"guten (?:tag|morgen|abend)|hallo|liebe|lieber|moin|grüß gott|hola|estimado|estimada|buenos días|buenas tardes|"
    r"olá|oi|prezado|prezada|caro|cara|bom dia|boa tarde|здравствуйте|добрый день|привет|дорогой|дорогая|ciao|merhaba|cześć)"
    rf",? (?P<name>{LATIN_NAME})(?=[,!.:;\s–—-]|$)",
    re.MULTILINE,
)
_NOT_NAMES = frozenset(
    ["all", "team", "colleague", "colleagues", "sir", "madam", "everyone", "friend", "friends", "customer", "client", "candidate", "hiring", "manager", "professor", "doctor", "recruiter", "there", "partner", "member", "user", "participant", "students", "student", "reader", "author", "editor", "monsieur", "madame", "tous", "toutes", "équipe", "damen", "herren", "kollegen", "kollege", "kollegin", "todos", "equipo", "equipe", "senhor", "senhora", "коллеги", "коллега", "друзья", "mr", "mrs", "ms", "dr", "prof", "the", "we", "our", "please", "thank", "thanks", "best", "regards", "happy", "interested", "available", "sorry", "sure", "writing", "currently", "looking", "glad", "pleased", "excited", "recruiter", "consultant"]
)

_HAN_SELF = re.compile(
    rf"(?:我叫|我的名字是|本人姓名|姓名[:是]|我是(?=[\u3400-\u9fff]{{2,4}}[,，.。!;]))(?P<name>{HAN_NAME})(?=[,，.。!;、:\s(]|$|是|来自|來自|在)"
)
_HAN_ADDRESS = re.compile(
    r"(?<![\u3400-\u9fff])(?:尊敬的|亲爱的|親愛的)?(?P<name>[\u3400-\u9fff]{1,3}?)(?=先生|女士|小姐|老师|老師|教授|博士|总监|经理|工(?=[,:，])|总(?=[,:，])|您好|你好)"
)
_HAN_SIGNED = re.compile(
    rf"^[ \t]*(?P<name>{HAN_NAME})[ \t]*(?:敬上|谨上|謹上|上|敬启|拜上)[ \t]*$", re.MULTILINE
)
_HANGUL = re.compile(
    rf"(?:제 이름은 |저는 |이름은 )(?P<self>{HANGUL_NAME}?)(?=입니다|이라고|라고|이고|이며|예요|이에요)"
    rf"|(?<![\uac00-\ud7a3])(?P<called>{HANGUL_NAME}?) ?(?:님(?=[,께의 !.]|$)|씨(?=[,께의 !.]|$)|선생님|교수님|박사님|부장님|대리님|팀장님)"
    rf"|^[ \t]*(?P<signed>{HANGUL_NAME}) ?(?:드림|올림|배상)[ \t.]*$",
    re.MULTILINE,
)
_KANA = re.compile(
    r"(?P<name>[\u3400-\u9fff]{1,4}(?:[ ]?[\u3041-\u30ff\u3400-\u9fff]{1,4})?)(?=と申します|様(?:$|[,、\s]))"
)
_ARABIC_SELF = re.compile(
    rf"(?:اسمي|أنا|انا|معك|معكم)\s(?P<name>{ARABIC_NAME}?)(?=[،,.:\n]|\sمن\s|\sو|\sأعمل|\sمدير|\sمستشار|$)"
)
_ARABIC_ADDRESS = re.compile(
    rf"(?:السيدة|السيد|الأستاذة|الأستاذ|الدكتورة|الدكتور|عزيزتي|عزيزي|د\.|أ\.)\s(?P<name>{ARABIC_NAME}?)(?=[،,.:\n!]|\sتحية|\sالسلام|$)"
)

_SIGN_OFF = re.compile(
    r"^[ \t]*(?i:(?:with )?(?:best|kind|warm|many|kindest|warmest)(?: (?:regards|wishes|thanks))?|regards|sincerely|yours(?: \w+)?|"
    r"thanks(?: (?:again|in advance|a lot))?|thank you|cheers|talk soon|respectfully|cordialement|(?:bien )?cordialement|bien à vous|"
    r"salutations(?: \w+)?|meilleures salutations|à bientôt|merci|sincères salutations|mit freundlichen grü(?:ß|ss)en|"
    r"(?:viele|beste|freundliche|liebe|herzliche) grü(?:ß|ss)e|mfg|vg|lg|gruß|saludos(?: \w+)?|un (?:cordial )?saludo|atentamente|"
    r"un abrazo|gracias|atenciosamente|abraços?|cumprimentos|obrigad[oa]|cordialmente|att|с уважением|всего (?:доброго|хорошего)|"
    r"с наилучшими пожеланиями|спасибо|此致|敬礼|祝好|顺颂商祺|順頌商祺|商祺|谢谢|謝謝|祝 ?商祺|顺祝商祺|감사합니다|고맙습니다|"
    r"مع (?:خالص |أطيب )?(?:التحيات|التحية|تحياتي)|تحياتي|شكرا(?: لك| لكم)?|وتفضلوا بقبول فائق الاحترام)[,!.،。;:]*[ \t]*$",
    re.MULTILINE,
)
_SIGN_OFF_INLINE = re.compile(
    rf"^[ \t]*(?i:best|regards|thanks|cheers|sincerely|cordialement|saludos|gruß|abraços|с уважением)[,.]? (?P<name>{LATIN_NAME})[ \t]*$",
    re.MULTILINE,
)
_DASH_SIGNED = re.compile(rf"^[ \t]*[-–—]{{1,2}} ?(?P<name>{LATIN_NAME})[ \t]*$", re.MULTILINE)
_NEXT_LINE = re.compile(r"\s*\n?\s*(?P<line>[^\n|,(<:;]{2,40})")

_PATTERNS = (
    _INTRODUCED,
    _I_AM,
    _ADDRESSED,
    _GREETED,
    _HAN_SELF,
    _HAN_ADDRESS,
    _HAN_SIGNED,
    _KANA,
    _ARABIC_SELF,
    _ARABIC_ADDRESS,
    _SIGN_OFF_INLINE,
    _DASH_SIGNED,
)


def find_people(passage: Passage, names: Sequence[str] = ()) -> list[EntityResult]:
    """PERSON entities; `names` are display names from the header, found wherever they recur."""
    text = passage.text
    spans = [match.span("name") for pattern in _PATTERNS for match in pattern.finditer(text)]
    spans += [
        match.span(match.lastgroup)
        for match in _HANGUL.finditer(text)
        if match.lastgroup is not None
    ]
    spans += _under_sign_off(text)
    if passage.segment.source == "signature":
        spans += _first_line(text, 0)
    for name in list(names)[:_MAX_NAMES]:
        spans += _recurring(passage.folded, person_value(name))
    return [
        passage.entity(EntityType.PERSON, start, end, person_value(text[start:end]))
        for start, end in dict.fromkeys(_cut(text, span) for span in spans)
        if end > start and not _is_no_name(text[start:end])
    ]


def person_value(name: str) -> str:
    """A name without the marks around it: quotes, "via ..." of a relay, post-nominals."""
    name = re.sub(r"\s+(?:via|through|über|par)\s.*$", "", name.strip().strip("\"'“”«»"))
    return re.sub(r",\s.*$|\s*\(.*$", "", name).strip().lower()


def _cut(text: str, span: tuple[int, int]) -> tuple[int, int]:
    start, end = span
    if end - start > 2 and text[end - 1] == "." and text[end - 3].isalpha():
        end -= 1  # the full stop of the sentence, not of an initial
    return start, end


def _is_no_name(name: str) -> bool:
    words = name.lower().split()
    return not words or words[0].strip(".") in _NOT_NAMES


def _under_sign_off(text: str) -> list[tuple[int, int]]:
    spans = []
    for match in _SIGN_OFF.finditer(text):
        spans += _first_line(text, match.end(), small=True)
    return spans


def _first_line(text: str, at: int, *, small: bool = False) -> list[tuple[int, int]]:
    match = _NEXT_LINE.match(text, at)
    if match is None:
        return []
    line = match["line"].rstrip(" .-–—\t")
    if is_name_line(line) or (small and is_small_name_line(line)):
        return [(match.start("line"), match.start("line") + len(line))]
    return []


def _recurring(folded: str, name: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    at = folded.find(name) if len(name) >= 2 else -1
    while at != -1 and len(spans) < _MAX_NAMES:
        end = at + len(name)
        before, after = folded[at - 1 : at], folded[end : end + 1]
        if not (before.isalpha() and before < "\u0590") and not (
            after.isalpha() and after < "\u0590"
        ):
            spans.append((at, end))
        at = folded.find(name, end)
    return spans
