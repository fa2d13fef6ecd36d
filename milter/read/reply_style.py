"""How mail programs announce quoted text, forwarded mail and signatures, in nine languages.

Patterns only; `text` decides with them. Each is tried on single bounded lines, never searched for
in a whole text. Languages: English, French, German, Spanish, Portuguese, Chinese, Russian, Korean,
Arabic. Programs: Gmail, Outlook, Apple Mail, Thunderbird, Yahoo, Proton, QQ Mail, 163.
"""

import re

# A line over this length announces nothing.
MAX_LINE_CHARS = 400

_WROTE = re.compile(
    r"wrote|writes|a écrit|écrivait|schrieb|geschrieben|escribió|escribio|escreveu"
    r"|写道|寫道|写入|寫入|пишет|писал|написал|작성|님이|쓴 글|썼습니다|كتب|كتابة",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[<(\[]?[^\s<>()\[\],;:@]{1,64}@[^\s<>()\[\],;:@]{1,255}[>)\]]?")
# Digits of any script: Arabic programs write Arabic-Indic ones. 15:04, 15h04, ٣:٠٤
_TIME = re.compile(r"\d{1,2}\s?[:：h]\s?\d{2}(?!\d)")
_DATE = re.compile(
    r"\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,4}|\d{4}\s?[年년]|(?<!\d)(?:19|20|١٩|٢٠)\d{2}(?!\d)"
)

_RULE_CHARACTERS = frozenset("-_=*#~‐‑–—─━")
_RULE = r"[-_=*#~‐‑–—─━]"
_ANNOUNCEMENTS = (
    "original message", "original appointment", "original", "forwarded message",
    "replied message", "forwarded mail", "reply message",
    "message d'origine", "message original", "message transféré", "message transmis",
    "courriel original", "message initial",
    "ursprüngliche nachricht", "originalnachricht", "original-nachricht",
    "weitergeleitete nachricht", "urspruengliche nachricht",
    "mensaje original", "mensaje reenviado", "mensagem original", "mensagem encaminhada",
    "mensagem reencaminhada",
    "邮件原件", "原始邮件", "原邮件", "回复的原邮件", "转发的邮件", "转发邮件", "转发邮件信息",
    "原始邮件信息", "原始郵件", "原始訊息", "轉寄的郵件", "轉寄郵件", "轉寄訊息", "回覆的郵件",
    "исходное сообщение", "пересылаемое сообщение", "пересланное сообщение",
    "перенаправленное сообщение", "конец пересылаемого сообщения",
    "원본 메시지", "원본 메일", "전달된 메시지", "전달된 메일",
    "الرسالة الأصلية", "رسالة معاد توجيهها", "الرسالة المعاد توجيهها", "رسالة محولة",
)  # fmt: skip
_SEPARATOR = re.compile(
    rf"\s*{_RULE}{{2,80}}\s*(?:{'|'.join(map(re.escape, _ANNOUNCEMENTS))})"
    rf"\s*:?\s*{_RULE}{{2,80}}\s*",
    re.IGNORECASE,
)
_BEGIN_FORWARD = re.compile(
    r"\s*(?:begin forwarded message|début du (?:message|courriel) (?:transféré|réexpédié)"
    r"|début du message transmis|anfang der weitergeleiteten (?:nachricht|e-mail)"
    r"|inicio del mensaje reenviado|início da mensagem (?:reencaminhada|encaminhada)"
    r"|以下是转发的邮件|開始轉寄郵件|開始轉寄訊息|下面是被转发的邮件"
    r"|начало переадресованного (?:сообщения|письма)"
    r"|전달된 (?:메시지|메일) 시작|بداية الرسالة (?:المعاد توجيهها|المُعاد توجيهها|المحولة))"
    r"\s*[:：]\s*",
    re.IGNORECASE,
)
_UNDERSCORES = re.compile(r"\s*[_─━]{16,}\s*")

_FROM = "from|de|von|da|发件人|寄件者|寄件人|發件人|от|от кого|보낸 ?사람|보낸이|من"
_DATED = (
    "sent|date|envoyé|envoyé le|gesendet|datum|enviado|enviado el|enviado em|enviada|enviada em"
    "|fecha|data|发送时间|发送日期|日期|时间|寄件日期|傳送日期|傳送時間|發送時間|發送日期"
    "|отправлено|дата|보낸 ?날짜|보낸 ?시간|날짜|تاريخ الإرسال|تم الإرسال|التاريخ|أُرسلت"
)
_ADDRESSED = (
    "to|cc|à|a|pour|an|para|收件人|收件者|抄送|副本|кому|копия|받는 ?사람|받는이|참조|إلى|نسخة"
)
_ABOUT = "subject|objet|sujet|betreff|asunto|assunto|主题|主题词|主旨|主題|тема|제목|الموضوع"
_LABEL = re.compile(
    rf"[\s|*>_]*+(?:(?P<sender>{_FROM})|(?P<date>{_DATED})|(?P<to>{_ADDRESSED})|(?P<about>{_ABOUT}))"
    r"\s?\*{0,2}(?:\s?[:：]|\s?\|)\s?\*{0,2}",
    re.IGNORECASE,
)
HEADER_BLOCK_LINES = 10
_LABEL_ENDS = re.compile(r"[:：|]")
_MAX_LABEL_CHARS = 24

# Only a line with such a first or last character can announce quoted text.
LAST_CHARACTERS = frozenset(":：")
FIRST_CHARACTERS = frozenset(
    "-_=*#~‐‑–—─━|" + "".join(label[0] + label[0].upper() for label in _FROM.split("|"))
)

_DEVICE = (
    r"(?:iphone|ipad|android|samsung|galaxy|huawei|xiaomi|blackberry|smartphone|mobile|handy|"
    r"téléphone|tablette|tablet|outlook|yahoo|gmail|proton|mail|app|móvil|celular|telemóvel|"
    r"手机|手機|邮箱|郵箱|大师|телефон|устройств|почт|스마트폰|휴대|네이버|아이폰|هاتف|جهاز|بريد|الـ)"
)
_SENT_FROM = re.compile(
    r"\s*(?:(?:sent (?:from|via|with)|get outlook for|envoyée? (?:de|depuis|à partir de|avec|par)"
    r"|télécharger outlook|obtenez outlook|gesendet (?:mit|von|über)|outlook für|holen sie sich"
    r"|enviado (?:desde|de|com|con|do|pelo|a partir)|obtener outlook|obter o outlook"
    r"|发自|发送自|來自我|来自我|發自|从我的.{1,20}发送|從我的.{1,20}傳送|获取\s?outlook|取得\s?outlook"
    r"|отправлено (?:с|из|через)|أُرسلت من|أرسلت من|مرسل من|تم الإرسال من|أُرسل من|أرسل من).{0,60}"
    r"|von mein.{1,30}gesendet|(?:나의 |내 )?\S{1,20}에서 (?:보냄|보냈습니다|전송).{0,20})",
    re.IGNORECASE,
)
_DEVICE_WORD = re.compile(_DEVICE, re.IGNORECASE)

_SIGN_OFF = re.compile(
    r"\s*(?:(?:kind|best|warm|warmest|many|with|my)?\s?(?:regards|wishes|best|thanks)"
    r"|(?:kind|best|warm|warmest) (?:regards|wishes)|with (?:kind|best|warm) (?:regards|wishes)"
    r"|all the best|best wishes|sincerely|yours (?:sincerely|faithfully|truly)|respectfully"
    r"|sincerely yours|cheers|thank you|thanks|many thanks|cordially|yours|thx|br|rgds|kr"
    r"|(?:bien )?cordialement|bien à (?:vous|toi)|sincèrement|salutations|meilleures salutations"
    r"|cordiales salutations|sincères salutations|respectueusement|amicalement|au plaisir"
    r"|(?:mit )?(?:freundlichen|besten|herzlichen|lieben|vielen) grü(?:ß|ss)en"
    r"|(?:freundliche|beste|herzliche|liebe|viele|schöne) grü(?:ß|ss)e|mfg|lg|vg|hochachtungsvoll"
    r"|(?:un )?(?:cordial )?saludos?(?: cordiales)?|atentamente|muy atentamente|cordialmente"
    r"|un cordial saludo|un saludo|atenciosamente|cumprimentos|(?:com os )?melhores cumprimentos"
    r"|abraços?|att|此致|敬礼|此致敬礼|祝好|顺颂商祺|顺祝商祺|谢谢|敬上|此致敬禮|敬祝|謝謝|順頌商祺"
    r"|с уважением|с наилучшими пожеланиями|всего доброго|с приветом|спасибо"
    r"|감사합니다|드림|올림|안녕히 계세요|مع التحية|تحياتي|مع أطيب التحيات"
    r"|وتفضلوا بقبول فائق الاحترام|مع خالص التحية|شكرا|شكرًا)\s*[,.!،，。;]?\s*",
    re.IGNORECASE,
)


def ends_like_attribution(line: str) -> bool:
    """Could an attribution ("On Monday ... wrote:") end with this line?"""
    return line.rstrip()[-1:] in LAST_CHARACTERS


def is_attribution(line: str) -> bool:
    """Does this (joined) line say who wrote when, as mail programs do?

    A verb of writing needs a date or a time, and a time or an address; without a verb the line
    has to end with an address after a time (Russian and Portuguese programs).
    """
    if len(line) > MAX_LINE_CHARS:
        return False
    has_time = _TIME.search(line) is not None
    if _WROTE.search(line):
        has_date = _DATE.search(line) is not None
        if has_time and has_date:
            return True
        return (has_time or has_date) and _ADDRESS.search(line) is not None
    if not has_time:
        return False
    body = line.rstrip().rstrip(":：").rstrip()
    last = body.rsplit(None, 1)[-1]
    return body.endswith(">") and _ADDRESS.fullmatch(last) is not None


def is_separator(line: str) -> bool:
    """Is this "-----Original Message-----", "Begin forwarded message:" or the like?"""
    line = line.strip()
    if len(line) > MAX_LINE_CHARS:
        return False
    if line[-1:] in LAST_CHARACTERS:
        return _BEGIN_FORWARD.fullmatch(line) is not None
    is_ruled = line[:1] in _RULE_CHARACTERS and line[1:2] in _RULE_CHARACTERS
    return is_ruled and line[-1] in _RULE_CHARACTERS and _SEPARATOR.fullmatch(line) is not None


def is_underscore_rule(line: str) -> bool:
    """The long rule that Outlook puts above the header block."""
    return _UNDERSCORES.fullmatch(line[:MAX_LINE_CHARS]) is not None


def is_header_block(lines: list[str]) -> bool:
    """Do these lines begin with From and go on with at least two of date, to and subject?"""
    if not lines or not _LABEL_ENDS.search(lines[0], 0, _MAX_LABEL_CHARS):
        return False
    kinds: set[str] = set()
    for number, line in enumerate(lines[:HEADER_BLOCK_LINES]):
        label = _LABEL.match(line[:MAX_LINE_CHARS])
        if number == 0 and (label is None or label.lastgroup != "sender"):
            return False
        if label is None:
            continue
        kinds.add(label.lastgroup or "")
    return "sender" in kinds and len(kinds) >= 3


def is_sent_from(line: str) -> bool:
    """Is this "Sent from my phone" in one of the languages?"""
    if len(line) > 120:
        return False
    return _SENT_FROM.fullmatch(line) is not None and _DEVICE_WORD.search(line) is not None


def is_sign_off(line: str) -> bool:
    """Is this line a closing formula and nothing else?"""
    return len(line) <= 80 and _SIGN_OFF.fullmatch(line) is not None
