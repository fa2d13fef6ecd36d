"""Names in Han, kana, Hangul and Arabic letters, which have no capitals: by the words around them.

Surnames of Han and Hangul names are listed to find and mask names only; no judgement sees them.
"""

import re
from collections.abc import Iterator

from nlp import lexicon
from nlp.entities.names import (
    ARABIC_NAME,
    ARABIC_WORD,
    HAN,
    HAN_ANY,
    HANGUL,
    HANGUL_ANY,
    HANGUL_NAME,
    LED_NAME,
)
from nlp.entities.plain_words import is_plain

# Common surnames of Han names; those of two characters first.
_SURNAMES = lexicon.read("names")["surname"]
_SURNAME = f"(?:{'|'.join(_SURNAMES['han_two'].split())}|[{''.join(_SURNAMES['han'].split())}])"
# Names of other scripts in a text of each: whole runs.
_HAN_RUN = rf"[{HAN}]{{1,6}}(?:[ ·•・‧][{HAN}]{{1,6}}){{0,2}}"
_HANGUL_RUN = rf"[{HANGUL}]{{2,5}}(?: [{HANGUL}]{{1,5}}){{0,2}}"
_IN_HAN = rf"{LED_NAME}|{_HANGUL_RUN}|{ARABIC_NAME}(?: {LED_NAME})?"
_IN_HANGUL = rf"{LED_NAME}|{_HAN_RUN}|{ARABIC_NAME}(?: {LED_NAME})?"
_IN_ARABIC = rf"{LED_NAME}|{_HAN_RUN}|{_HANGUL_RUN}"
_HAN_SHORT = rf"{_SURNAME}[{HAN}]{{1,2}}"
_NICKNAME = rf"[小老阿][{HAN}]"
# After a title of address any name; after a post only one that begins with a surname.
_HAN_TITLE = (
    "先生|女士|小姐|太太|老师|老師|教授|博士|院士|师傅|師傅|同学|同學|同志|您好|你好|钧鉴|鈞鑒|大鉴|大鑒|台鉴|台鑒|敬启|敬啟"
    "|兄(?=[,:，：。]|$)|姐(?=[,:，：。]|$)|哥(?=[,:，：。]|$)"
)
_HAN_POST = (
    "研究员|研究員|总监|總監|经理|經理|主任|处长|處長|局长|局長|院长|院長|所长|所長|科长|科長|部长|部長|校长|校長|社长|社長|会长|會長|秘书长|秘書長"
    "|秘书|秘書|主编|主編|编辑(?!部)|編輯(?!部)|医生|醫生|律师|律師|工程师|工程師|顾问|顧問|董事长|董事長|总(?=[,:，：。]|$)|工(?=[,:，：。、 ]|您|你|$)"
)
_END = r"(?=[,，.。!！;；、:：\s(（)）\"”」]|$|是|来自|來自|在|于|，)"
_HAN_ROLE = (
    "联系人|聯繫人|聯絡人|负责人|負責人|经办人|承办人|作者|导师|導師|同事|同學|同学|老友|朋友|秘书|秘書|助理|编辑|編輯|主持人|司机|司機|领队|領隊|店长|店長"
    "|教练|教練|护工|護工|会计|會計|专员|專員|爸爸|妈妈|媽媽|徒弟|学生|學生|老板|老闆|窗口|总干事|總幹事|经理|主席|船务|船務|系办|系辦|小妹|小弟|委员|委員"
    "|请洽|請洽|请找|請找|通报|通報|告知|告诉|告訴|联络|聯絡|问题找|問題請找|请问|請問|冠军|亚军|季军|居民|贵司|貴司|工程师|工程師"
)
_HAN_PATTERNS = (
    re.compile(
        rf"(?:我叫|我的名字是|本人姓名|姓名[:：是]|我是(?=[{HAN}·]{{2,12}}[,，.。!;]|[^{HAN}]))(?P<name>{HAN_ANY}?|{_HAN_SHORT}|{_IN_HAN}){_END}"
    ),
    re.compile(
        rf"(?:(?<![{HAN}])|(?<=[由和与與跟给給向找请請问問是叫及致为為让讓对對联聯系]))(?:尊敬的|亲爱的|親愛的|敬爱的|敬愛的)?(?P<name>(?:[{HAN}]{{1,8}}(?:[·•・‧][{HAN}]{{1,8}}){{1,3}}|[{HAN}]{{1,4}}?|{_IN_HAN}))[ ]?(?={_HAN_TITLE})"
    ),
    re.compile(
        rf"(?:(?<![{HAN}])|(?<=[由和与與跟给給向找请請问問是叫及致为為让讓对對联聯系]))(?:尊敬的|亲爱的|親愛的)?(?P<name>{_SURNAME}[{HAN}]{{0,2}}?|{_IN_HAN})[ ]?(?={_HAN_POST})"
    ),
    re.compile(
        rf"^[ \t]*(?P<name>{HAN_ANY}|{_IN_HAN})[ \t]*(?:敬上|谨上|謹上|上|敬启|敬啟|拜上|顿首|頓首)[ \t]*$",
        re.MULTILINE,
    ),
    re.compile(
        rf"(?:{_HAN_ROLE})[:：是叫 ]{{0,2}}(?P<name>{_HAN_SHORT}|{_NICKNAME}|{_IN_HAN}|[{HAN}]{{1,8}}(?:·[{HAN}]{{1,8}}){{1,3}})(?=[,，.。;；、:：\s(（)）会會在说說将將和]|电话|電話|手机|手機|分机|分機|[0-9A-Z@]|$)"
    ),
    # "发票请交马骏。", "前台找刘晓丽，": whoever is asked, given or called.
    re.compile(
        rf"(?:[找交洽]|[交转轉寄递遞]给|[交转轉寄遞]給|致电|致電|联络|聯絡|联系|聯繫|通知|合伙人|合夥人|面试官[是为]?|面試官[是為]?|抄送|負責人|负责人)(?P<name>{_HAN_SHORT})(?=[，。、；,.;()（）\s0-9]|$)"
    ),
    re.compile(
        rf"(?:[由交找]|负责人|負責人|部|组|組|半|[0-9]点|上午|下午)(?P<name>{_SURNAME}[{HAN}]{{1,2}})(?=教授|医生|醫生|大夫|护士|護士|医师|醫師|经理|經理|主任)"
    ),
    re.compile(
        rf"(?:同事|同學|同学|老友|朋友|助理)(?P<name>(?![们們会會都也在说說将將和与與已告提推介那这這一])[{HAN}]{{2,4}}?)(?=[会會将將][跟和与與联聯给給])"
    ),
    re.compile(
        rf"(?:(?<=的)(?=[小老阿]|{_IN_HAN})|(?<=[部处處室組组科社会會]))(?P<name>{_HAN_SHORT}|{_NICKNAME}|{_IN_HAN}|[{HAN}]{{2,8}}(?:·[{HAN}]{{1,8}}){{1,3}})(?=[,，.。;；:：(（]|$)"
    ),
    re.compile(
        rf"(?<=[部处處室组組科社会會] )(?P<name>{_HAN_SHORT}|{_NICKNAME}|{_IN_HAN})(?=[\s,，.。]|$)"
    ),
    # Parts joined by a middle dot are a foreign name wherever they stand.
    re.compile(rf"(?P<name>[{HAN}]{{2,8}}(?:[·•・‧][{HAN}]{{1,8}}){{1,3}})"),
    re.compile(rf"\A\s*(?P<name>{_HAN_SHORT}|{_NICKNAME})[,，:：]"),
)
_KANA_PATTERNS = (
    re.compile(
        rf"(?P<name>[{HAN}]{{1,4}}(?:[ ]?[\u3041-\u30ff{HAN}]{{1,4}})?|[\u30a0-\u30ff]{{2,10}}(?:・[\u30a0-\u30ff]{{1,10}}){{0,2}})(?=と申します|です。|さん|先生|様(?:$|[,、\s]))"
    ),
)
_HANGUL_TITLE_POLITE = "선생님|교수님|박사님|부장님|대리님|팀장님|과장님|차장님|사장님|대표님|이사님|원장님|소장님|회장님|국장님|실장님|연구원님|변호사님|기자님|위원님|전무님|상무님|주임님"
_HANGUL_TITLE = "선생|교수|박사|부장|과장|차장|팀장|대표|이사|원장|소장|연구원|변호사|기자|위원"
_NO_HANGUL = (
    r"(?!(?:선생|교수|박사|부장|대리|팀장|과장|차장|사장|대표|이사|고객|담당자|여러분|귀하|회원|관계자|연구원|위원|지원자|후보자|안녕하세요|안녕하십니까|기자|변호사|실장|소장|원장|국장|회장|본인|저희|학회|담당|총괄|책임|선배|후배|동료|전문|기사|비공개|여신심사|담당 |지원|예정|무료|유료|가능|필요|중요|정규직|현재|출신)"
    r"(?:님|께|께서|입니다| |$|,))"
)
_HANGUL_ROLE = "담당자?|담임|사장|총무|원장|대표|회장|기사|팀장|과장|반주자|강사|코치|연사|저자|문의|발신|제보는|상담|주임|실장|매니저|형|누나|언니|오빠"
_HANGUL_POST = "주임|사무관|파트장|코디네이터|간사|선임|책임|선배|코치|감독|목사|사모|자매|형제|집사|반주자|총무|매니저|주무관|조교"
_HANGUL_PATTERNS = (
    re.compile(
        rf"(?:^|[\s,.])(?:{_HANGUL_ROLE}) (?P<name>[{HANGUL}]{{3}}|{_IN_HANGUL})(?= ?(?:[\d(,.+@]|[A-Za-z]|[공영일이삼사오육칠팔구]{{3}}|$))",
        re.MULTILINE,
    ),
    re.compile(
        rf"(?:^|[.!?\n:,(]|[\s]){_NO_HANGUL}(?P<name>[{HANGUL}]{{3}}|{_IN_HANGUL}) (?:{_HANGUL_POST})(?:님|께|에게|한테|이|가|은|는|의|[(,. ])"
    ),
    # "담당 류지안에게", "문의는 성보람에게", "'에밀리 포스터'라는 사람".
    re.compile(
        rf"(?:^|[\s,.])(?:담당자?|문의는|문의|대표|총무|간사|조교|사서|공장장|비서|사수)(?:는|은)? (?P<name>[{HANGUL}]{{3}})(?=에게|께|한테|를|이 |가 )",
        re.MULTILINE,
    ),
    re.compile(
        rf"['\"‘“](?P<name>[{HANGUL}]{{2,5}}(?: [{HANGUL}]{{1,5}}){{0,2}}|{LED_NAME})['\"’”](?=이?라는 (?:사람|분|이름|인물)|에게|으로부터)"
    ),
    re.compile(
        rf"(?:제 이름은 |저는 |이름은 |저는, )(?:[{HANGUL}A-Za-z]{{2,12}}(?:의|에서 일하는|에 있는|인|소속) )?(?P<name>{HANGUL_ANY}?|{_IN_HANGUL})(?<!출신)(?:이?라고 ?(?:합니다|해요|하는)|입니다|이?고,|이며|예요|이에요)"
    ),
    re.compile(rf"(?P<name>{HANGUL_ANY}|{_IN_HANGUL})(?:이)?라고 (?:합니다|해요|불러)"),
    re.compile(
        rf"(?:^|[.!?\n:,] ?|[\s(]){_NO_HANGUL}(?P<name>{HANGUL_NAME}?|[{HANGUL}]{{1,6}} [{HANGUL}]{{1,6}}|{_IN_HANGUL}) ?(?:님|씨)(?=[,께의은이과와 !.:]|$)",
        re.MULTILINE,
    ),
    re.compile(
        rf"(?:^|[.!?\n:,(] ?|[\s]){_NO_HANGUL}(?P<name>{HANGUL_NAME}?|[{HANGUL}]{{2,6}} [{HANGUL}]{{1,6}}|{_IN_HANGUL}) (?:(?:{_HANGUL_TITLE_POLITE})(?=[,께의은이가과와에 !.:]|입니다|$)|(?:{_HANGUL_TITLE})(?=[,.)께의은이가과와]|입니다))",
        re.MULTILINE,
    ),
    re.compile(
        rf"^[ \t]*(?:[{HANGUL}A-Za-z]{{2,12}} ){{0,2}}?(?P<name>{HANGUL_ANY}?|{_IN_HANGUL}) ?(?:드림|올림|배상)[ \t.]*$",
        re.MULTILINE,
    ),
    # "... 의 NAME입니다": who introduces himself stands behind his house or post.
    re.compile(
        rf"(?<=[의장사팀국부원소처인과실회자린한] ){_NO_HANGUL}(?P<name>{HANGUL_NAME}|[{HANGUL}]{{2,6}} [{HANGUL}]{{1,6}}|{_IN_HANGUL})(?=입니다|예요|이에요|이라고|라고)"
    ),
    re.compile(
        rf"(?<=[팀국부처실회단사] )(?P<name>{HANGUL_NAME}?|{_IN_HANGUL})(?=,? ?(?:\d|\(|$|이사|대리|과장|드림))",
        re.MULTILINE,
    ),
)
_ARABIC_STOPS = (
    "من|في|إلى|الى|على|عن|مع|هو|هي|أعمل|اعمل|وأعمل|وأنا|مدير|مديرة|مستشار|مستشارة|باحث|باحثة|تحية|السلام|المحترم|المحترمة|المحترمين|الموقر|الموقرة|الفاضل|الفاضلة|وبعد"
    "|تتولى|يتولى|تجيب|يجيب|سيتصل|ستتصل|يدير|تدير|قال|قالت|أخبرني|أخبرتني|حفظه|حفظها|صباح|مساء|أما|وقد|سوف|كتب|كتبت|لدى|رئيس|رئيسة|منسق|منسقة|عضو|نائب|ممثل|مندوب|شكرا|أرجو|نود|يسعدني|بعد|أهلا|مرحبا|كيف"
)
_ARABIC_NAME_CUT = rf"(?P<name>(?!(?:{_ARABIC_STOPS})(?:\s|$|[،,]))(?:{ARABIC_WORD})(?: (?!(?:{_ARABIC_STOPS})(?:\s|$|[،,.:]))(?:{ARABIC_WORD})){{0,3}}?(?: {LED_NAME})?)"
_ARABIC_END = rf"(?=\s*[،,.:\n!؛()–—-]|\s(?:{_ARABIC_STOPS})(?:\s|[،,.:!]|$)|\sو[\u0621-\u064a]|$)"
_ARABIC_TITLE = (
    "السيدة|السيد|سيدة|سيد|الأستاذة|الأستاذ|الاستاذة|الاستاذ|أستاذة|أستاذ|الدكتورة|الدكتور|دكتورة|دكتور|المهندسة|المهندس|مهندسة|مهندس|الباحثة|الباحث|المنسقة|المنسق|الزميلة|الزميل|زميلتي|زميلي|زميلنا|زميلتنا"
    "|الآنسة|الشيخ|المحامي|المحامية|المستشار|المستشارة|العميد|اللواء|السفير|عزيزتي|عزيزي|أخي|أختي|صديقي|صديقتي|د\\.|أ\\.|م\\.|د/|أ/|م/"
)
_ARABIC_ROLE = (
    "يكلم|تكلم|اسأل|اسألي|راسل|راسلي|حولوا ل|المدير الفني|المديرة الفنية|دلتني عليك|دلني عليك|وكيلنا|"
    "السائق|القبطان|المرشد|المرشدة|البواب|المشرفة|المشرف|وكيلنا|وكيلتنا|زميلكم|زميلتكم|الحاج|الحاجة|الأسطى|أبلة|المدرب|المدربة|باشمهندس|خالك|خالتك|عمك|العقيد المتقاعد"
    "|المحررة|المحرر|الموظف|الموظفة|مسؤولة ملفك|مسؤول ملفك|مسؤولتك|مسؤولة الحساب|مسؤول الحساب|أخ|الأخ|الأخت|أبلغوا|أبلغ|كلّم|كلم|كلمي|للإبلاغ:|لدى|الكوافيرة|المحاسب|المحاسبة"
)
_ARABIC_NO_VOCATIVE = "جماعة|شباب|رب|ريت|ليت|أخي|أختي|صديقي|سيدي|سيدتي|عم|بنات|أهل|حبيبي|حبيبتي|غالي|غالية|باشا|فندم|هلا"
_ARABIC_PATTERNS = (
    re.compile(
        rf"(?<![\u0621-\u064a])[ولب]?(?:{_ARABIC_ROLE})\s(?P<name>(?!(?:{_ARABIC_STOPS})\s)(?:(?:أبو|أم|عبد|بن|عم)\s)?{ARABIC_WORD}(?:\s(?!(?:{_ARABIC_STOPS})\s){ARABIC_WORD})?)"
        r"(?=\s?[،,.:؛؟!(\d+@]|\s[A-Za-z]|\s(?:وجواله|وجوالها|ورقمه|ورقمها|وهاتفه|يتصل|تتصل|اتصل|على)\s|$)",
        re.MULTILINE,
    ),
    re.compile(
        rf"(?:^|[\s؟!.،])يا (?P<name>(?!(?:{_ARABIC_NO_VOCATIVE})(?![\u0621-\u064a])){ARABIC_WORD})(?=[،,؟!.:])",
        re.MULTILINE,
    ),
    re.compile(
        rf"(?<![\u0621-\u064a])(?:اسمي|أنا|انا|معك|معكم|معكِ|يكلمك|يحدثك)\s(?:(?:{_ARABIC_TITLE})\s)?(?:{_ARABIC_NAME_CUT}{_ARABIC_END}|(?P<name2>{_IN_ARABIC}))"
    ),
    re.compile(
        rf"(?<![\u0621-\u064a])[ولب]?(?:{_ARABIC_TITLE})\s?(?:(?:{_ARABIC_TITLE})\s?)?(?:{_ARABIC_NAME_CUT}{_ARABIC_END}|(?P<name2>{_IN_ARABIC}))"
    ),
    re.compile(
        rf"^[ \t]*(?:مرحبا|مرحباً|مرحبًا|أهلا|أهلاً|أهلًا|السلام عليكم|صباح الخير|مساء الخير|تحية طيبة)\s?(?:بك |بكم )?(?:يا )?(?:{_ARABIC_NAME_CUT}|(?P<name2>{_IN_ARABIC}))(?=\s*[،,!:])",
        re.MULTILINE,
    ),
)
_BY_SCRIPT = {
    "han": _HAN_PATTERNS,
    "kana": _KANA_PATTERNS,
    "hangul": _HANGUL_PATTERNS,
    "arabic": _ARABIC_PATTERNS,
}
_NOBODY = frozenset(lexicon.read("names")["nobody"]["han"].split())
_ALONE = re.compile(rf"{_HAN_SHORT}|{_NICKNAME}|[{HAN}]{{1,8}}(?:[·•・‧][{HAN}]{{1,8}}){{1,3}}")
_TO_ALL = ("各位", "诸位", "諸位", "尊敬", "亲爱", "親愛", "여러분")


def starts_like_a_name(text: str) -> bool:
    """Whether a Han run begins with a surname or a pet form, as names that stand alone do."""
    return _ALONE.fullmatch(text) is not None


def find_eastern(text: str, scripts: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Names by the words around them, for the scripts that occur."""
    for script in scripts & _BY_SCRIPT.keys():
        for pattern in _BY_SCRIPT[script]:
            for match in pattern.finditer(text):
                group = match.lastgroup or "name"
                name = match[group]
                if name in (None, "") or name in _NOBODY or name.startswith(_TO_ALL):
                    continue
                if not is_plain(name, is_due=True):
                    yield match.span(group)
