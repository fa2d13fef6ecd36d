"""Replies of eight mail programs in nine languages: what is new, what is quoted, what is signed."""

import pytest

from milter.mail.finding import Source
from milter.read.text import split_text

ANSWER = "NEW TEXT"
OLD = "OLD TEXT"


def texts(text: str, source: Source, **spans: tuple[tuple[int, int], ...]) -> str:
    runs = split_text(text, **spans)
    assert "".join(text[start:end] for _, start, end in runs) == text
    return "".join(text[start:end] for kind, start, end in runs if kind is source)


# What stands above quoted text, by program and language. Invented names and addresses.
GMAIL = {
    "en": "On Tue, Jan 2, 2024 at 3:04 PM Jane Roe <jane.roe@example.org> wrote:",
    "fr": "Le mar. 2 janv. 2024 à 15:04, Jane Roe <jane.roe@example.org> a écrit :",
    "de": "Am Di., 2. Jan. 2024 um 15:04 Uhr schrieb Jane Roe <jane.roe@example.org>:",
    "es": "El mar, 2 ene 2024 a las 15:04, Jane Roe (<jane.roe@example.org>) escribió:",
    "pt": "Em ter., 2 de jan. de 2024 às 15:04, Jane Roe <jane.roe@example.org> escreveu:",
    "pt-pt": "Jane Roe <jane.roe@example.org> escreveu (terça, 2/01/2024 à(s) 15:04):",
    "zh-hans": "Jane Roe <jane.roe@example.org> 于2024年1月2日周二 15:04写道：",
    "zh-hant": "Jane Roe <jane.roe@example.org> 於 2024年1月2日 週二 下午3:04寫道：",
    "ru": "вт, 2 янв. 2024 г. в 15:04, Jane Roe <jane.roe@example.org>:",
    "ko": "2024년 1월 2일 (화) 오후 3:04, Jane Roe <jane.roe@example.org>님이 작성:",
    "ar": "في الثلاثاء، 2 يناير 2024 في 3:04 م تمت كتابة ما يلي بواسطة Jane Roe <jane.roe@example.org>:",
}
APPLE = {
    "en": "On 2 Jan 2024, at 15:04, Jane Roe <jane.roe@example.org> wrote:",
    "fr": "Le 2 janv. 2024 à 15:04, Jane Roe <jane.roe@example.org> a écrit :",
    "de": "Am 02.01.2024 um 15:04 schrieb Jane Roe <jane.roe@example.org>:",
    "es": "El 2 ene 2024, a las 15:04, Jane Roe <jane.roe@example.org> escribió:",
    "pt": "No dia 2 de jan. de 2024, à(s) 15:04, Jane Roe <jane.roe@example.org> escreveu:",
    "zh-hans": "2024年1月2日 下午3:04，Jane Roe <jane.roe@example.org> 写道：",
    "zh-hant": "Jane Roe <jane.roe@example.org> 於 2024年1月2日 下午3:04 寫道：",
    "ru": "2 янв. 2024 г., в 15:04, Jane Roe <jane.roe@example.org> написал(а):",
    "ko": "2024. 1. 2. 오후 3:04, Jane Roe <jane.roe@example.org> 작성:",
    "ar": "في ٢ يناير ٢٠٢٤، الساعة ٣:٠٤ م، كتب/كتبت Jane Roe <jane.roe@example.org>:",
}
THUNDERBIRD = {
    "en": "On 02/01/2024 15:04, Jane Roe wrote:",
    "fr": "Le 02/01/2024 à 15:04, Jane Roe a écrit :",
    "de": "Am 02.01.24 um 15:04 schrieb Jane Roe:",
    "es": "El 2/1/24 a las 15:04, Jane Roe escribió:",
    "pt": "Em 02/01/2024 15:04, Jane Roe escreveu:",
    "zh-hans": "在 2024/1/2 15:04, Jane Roe 写道:",
    "zh-hant": "Jane Roe 於 2024/1/2 下午 3:04 寫道:",
    "ru": "02.01.2024 15:04, Jane Roe пишет:",
    "ko": "2024-01-02 오후 3:04에 Jane Roe이(가) 쓴 글:",
    "ar": "في 2/1/24 3:04 م، كتب Jane Roe:",
}
YAHOO = {
    "en": "On Tuesday, January 2, 2024 at 03:04:05 PM GMT, Jane Roe <jane.roe@example.org> wrote:",
    "fr": "Le mardi 2 janvier 2024 à 15:04:05 UTC+1, Jane Roe <jane.roe@example.org> a écrit :",
    "de": "Am Dienstag, 2. Januar 2024 um 15:04:05 MEZ hat Jane Roe <jane.roe@example.org> Folgendes geschrieben:",
    "es": "El martes, 2 de enero de 2024, 15:04:05 CET, Jane Roe <jane.roe@example.org> escribió:",
    "pt": "Em terça-feira, 2 de janeiro de 2024 15:04:05 BRT, Jane Roe <jane.roe@example.org> escreveu:",
    "zh-hans": "2024年1月2日星期二 GMT+8 15:04:05， Jane Roe <jane.roe@example.org> 写道：",
    "zh-hant": "Jane Roe <jane.roe@example.org> 於 2024年1月2日 星期二 下午03:04:05 [GMT+8] 寫道：",
    "ru": "вторник, 2 января 2024 г. в 15:04:05 GMT+3, Jane Roe <jane.roe@example.org> написал(-а):",
    "ko": "2024년 1월 2일 화요일 오후 03:04:05 GMT+9, Jane Roe<jane.roe@example.org>님이 작성:",
    "ar": "في الثلاثاء، 2 يناير 2024 في 03:04:05 م غرينتش+3، كتب Jane Roe <jane.roe@example.org>:",
}
PROTON = {
    "en": "On Tuesday, January 2nd, 2024 at 3:04 PM, Jane Roe <jane.roe@example.org> wrote:",
    "fr": "Le mardi 2 janvier 2024 à 15:04, Jane Roe <jane.roe@example.org> a écrit :",
    "de": "Jane Roe <jane.roe@example.org> schrieb am Dienstag, 2. Januar 2024 um 15:04:",
    "es": "El martes, 2 de enero de 2024 a las 15:04, Jane Roe <jane.roe@example.org> escribió:",
    "pt": "terça-feira, 2 de janeiro de 2024 às 15:04, Jane Roe <jane.roe@example.org> escreveu:",
    "zh-hans": "2024年1月2日星期二，下午3:04，Jane Roe <jane.roe@example.org> 写道：",
    "ru": "вторник, 2 января 2024 г. в 15:04, Jane Roe <jane.roe@example.org> написал(а):",
    "ko": "2024년 1월 2일 화요일 오후 3:04, Jane Roe <jane.roe@example.org>님이 작성:",
    "ar": "الثلاثاء، 2 يناير 2024 في 3:04 م، كتب Jane Roe <jane.roe@example.org>:",
}
NETEASE = {
    "en": 'At 2024-01-02 15:04:05, "Jane Roe" <jane.roe@example.org> wrote:',
    "zh-hans": '在 2024-01-02 15:04:05，"Jane Roe" <jane.roe@example.org> 写道：',
    "zh-hant": '在 2024-01-02 15:04:05，"Jane Roe" <jane.roe@example.org> 寫道：',
}
ATTRIBUTIONS = [
    pytest.param(line, id=f"{program}-{language}")
    for program, lines in (
        ("gmail", GMAIL), ("apple", APPLE), ("thunderbird", THUNDERBIRD), ("yahoo", YAHOO),
        ("proton", PROTON), ("163", NETEASE),
    )
    for language, line in lines.items()
]  # fmt: skip


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_an_attribution_announces_prefixed_text(line: str) -> None:
    text = f"{ANSWER}\n\n{line}\n\n> {OLD}\n> more\n"
    assert texts(text, Source.BODY).strip() == ANSWER
    assert texts(text, Source.QUOTED).startswith(line)


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_an_attribution_announces_text_without_prefix(line: str) -> None:
    text = f"{ANSWER}\n\n{line}\n\n{OLD}\nmore\n"
    assert texts(text, Source.BODY).strip() == ANSWER
    assert OLD in texts(text, Source.QUOTED)


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_an_attribution_may_be_wrapped(line: str) -> None:
    head, _, tail = line.rpartition(" ")
    text = f"{ANSWER}\n\n{head}\n{tail}\n> {OLD}\n\nBOTTOM ANSWER\n"
    body = texts(text, Source.BODY)
    assert OLD not in body
    assert body.split() == [*ANSWER.split(), "BOTTOM", "ANSWER"]


SEPARATORS = {
    "outlook-en": "-----Original Message-----\nFrom: Jane Roe\nSent: Tuesday\nTo: John\nSubject: Hi\n",
    "outlook-fr": "-----Message d'origine-----\nDe : Jane Roe\nEnvoyé : mardi\nÀ : John\nObjet : Salut\n",
    "outlook-de": "-----Ursprüngliche Nachricht-----\nVon: Jane Roe\nGesendet: Dienstag\nAn: John\n",
    "outlook-es": "-----Mensaje original-----\nDe: Jane Roe\nEnviado el: martes\nPara: John\n",
    "outlook-pt": "-----Mensagem original-----\nDe: Jane Roe\nEnviada em: terça\nPara: John\n",
    "outlook-zh-hans": "-----邮件原件-----\n发件人: Jane Roe\n发送时间: 2024年\n收件人: John\n",
    "outlook-zh-hant": "-----原始郵件-----\n寄件者: Jane Roe\n寄件日期: 2024年\n收件者: John\n",
    "outlook-ru": "-----Исходное сообщение-----\nОт: Jane Roe\nОтправлено: вторник\nКому: John\n",
    "outlook-ko": "-----원본 메시지-----\n보낸 사람: Jane Roe\n보낸 날짜: 2024\n받는 사람: John\n",
    "outlook-ar": "-----الرسالة الأصلية-----\nمن: Jane Roe\nتاريخ الإرسال: الثلاثاء\nإلى: John\n",
    "block-en": "From: Jane Roe <jane@example.org>\nSent: Tuesday, 2 January 2024 15:04\nTo: John\nSubject: Hi\n",
    "block-en-bold": "*From:* Jane Roe\n*Date:* Tuesday\n*To:* John\n*Subject:* Hi\n",
    "block-en-rule": "________________________________\nFrom: Jane Roe\nSent: Tuesday\nTo: John\nSubject: Hi\n",
    "block-fr": "De : Jane Roe\nEnvoyé : mardi 2 janvier 2024 15:04\nÀ : John\nObjet : Salut\n",
    "block-fr-date": "De : Jane Roe\nDate : mardi 2 janvier 2024\nÀ : John\nObjet : Salut\n",
    "block-de": "Von: Jane Roe\nGesendet: Dienstag, 2. Januar 2024 15:04\nAn: John\nBetreff: Hallo\n",
    "block-es": "De: Jane Roe\nEnviado: martes, 2 de enero de 2024 15:04\nPara: John\nAsunto: Hola\n",
    "block-pt": "De: Jane Roe\nEnviado: terça-feira, 2 de janeiro de 2024\nPara: John\nAssunto: Olá\n",
    "block-zh-hans": "发件人: Jane Roe\n发送时间: 2024年1月2日 15:04\n收件人: John\n主题: 你好\n",
    "block-zh-hans-wide": "发件人：Jane Roe\n日期：2024年1月2日\n收件人：John\n主题：你好\n",
    "block-zh-hant": "寄件者: Jane Roe\n寄件日期: 2024年1月2日\n收件者: John\n主旨: 你好\n",
    "block-ru": "От: Jane Roe\nОтправлено: 2 января 2024 г. 15:04\nКому: John\nТема: Привет\n",
    "block-ko": "보낸 사람: Jane Roe\n보낸 날짜: 2024년 1월 2일\n받는 사람: John\n제목: 안녕\n",
    "block-ar": "من: Jane Roe\nتاريخ الإرسال: 2 يناير 2024\nإلى: John\nالموضوع: مرحبا\n",
    "qq-zh": '------------------ 原始邮件 ------------------\n发件人: "Jane Roe" <jane@example.org>;\n发送时间: 2024年1月2日(星期二) 下午3:04\n收件人: "John";\n主题: 你好\n',
    "qq-zh-nbsp": "------------------\u00a0原始邮件\u00a0------------------\n发件人: Jane\n",
    "qq-en": "------------------ Original ------------------\nFrom: Jane Roe;\nDate: Tue\nTo: John\n",
    "163-zh": "---- 回复的原邮件 ----\n| 发件人 | Jane Roe<jane@example.org> |\n| 发送日期 | 2024年 |\n",
    "163-en": "---- Replied Message ----\n| From | Jane Roe |\n| Date | 2024 |\n",
    "proton-old": "‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\nOn Tuesday, Jane wrote:\n",
    "proton": "------- Original Message -------\nOn Tuesday, Jane wrote:\n",
    "gmail-forward-en": "---------- Forwarded message ---------\nFrom: Jane Roe\n",
    "gmail-forward-fr": "---------- Message transféré ---------\nDe : Jane Roe\n",
    "gmail-forward-de": "---------- Weitergeleitete Nachricht ---------\nVon: Jane Roe\n",
    "gmail-forward-es": "---------- Mensaje reenviado ---------\nDe: Jane Roe\n",
    "gmail-forward-pt": "---------- Mensagem encaminhada ---------\nDe: Jane Roe\n",
    "gmail-forward-zh-hans": "---------- 转发的邮件 ---------\n发件人： Jane Roe\n",
    "gmail-forward-ru": "---------- Пересылаемое сообщение ---------\nОт: Jane Roe\n",
    "gmail-forward-ko": "---------- 전달된 메일 ---------\n보낸 사람: Jane Roe\n",
    "gmail-forward-ar": "---------- رسالة معاد توجيهها ---------\nمن: Jane Roe\n",
    "thunderbird-forward": "-------- Forwarded Message --------\nSubject: Hi\n",
    "apple-forward-en": "Begin forwarded message:\n\nFrom: Jane Roe\n",
    "apple-forward-fr": "Début du message transféré :\n\nDe: Jane Roe\n",
    "apple-forward-de": "Anfang der weitergeleiteten Nachricht:\n\nVon: Jane Roe\n",
    "apple-forward-es": "Inicio del mensaje reenviado:\n\nDe: Jane Roe\n",
    "apple-forward-pt": "Início da mensagem reencaminhada:\n\nDe: Jane Roe\n",
    "apple-forward-zh": "以下是转发的邮件：\n\n发件人: Jane Roe\n",
    "apple-forward-ru": "Начало переадресованного сообщения:\n\nОт: Jane Roe\n",
    "apple-forward-ko": "전달된 메시지 시작:\n\n보낸 사람: Jane Roe\n",
    "apple-forward-ar": "بداية الرسالة المُعاد توجيهها:\n\nمن: Jane Roe\n",
}  # fmt: skip


@pytest.mark.parametrize("separator", SEPARATORS.values(), ids=SEPARATORS.keys())
def test_a_separator_or_header_block_announces_the_rest(separator: str) -> None:
    text = f"{ANSWER}\n\n{separator}\n{OLD}\nmore\n"
    assert texts(text, Source.BODY).strip() == ANSWER
    assert texts(text, Source.QUOTED) == f"{separator}\n{OLD}\nmore\n"


@pytest.mark.parametrize("separator", SEPARATORS.values(), ids=SEPARATORS.keys())
def test_a_forward_without_own_text_is_quoted_whole(separator: str) -> None:
    text = f"{separator}\n{OLD}\n"
    assert texts(text, Source.BODY) == ""


NOT_ANNOUNCING = [
    "On Tuesday the minister wrote:",
    "In 2019 the committee wrote:",
    "As she wrote in her book:",
    "Please send the following to me by 15:04:",
    "Von: hier geht es weiter",
    "From: the desk of the director",
    "De: algo\nmás texto\notra línea",
    "--- snip ---",
    "-----",
    "________________________________",
    "Original message",
    "The original message follows:",
    "Reply to jane.roe@example.org:",
    "他写道：",
    "Meeting at 10:30, then: lunch",
    "Agenda:",
]


@pytest.mark.parametrize("line", NOT_ANNOUNCING)
def test_words_alone_announce_nothing(line: str) -> None:
    text = f"{ANSWER}\n{line}\nmy own text goes on here.\n"
    assert texts(text, Source.BODY) == text


def test_answers_between_quotations_are_bodies_of_their_own() -> None:
    text = (
        "On Tue, Jan 2, 2024 at 3:04 PM J <j@example.org> wrote:\n> one?\n\nFIRST\n\n> two?\n>\n"
        "\n> three?\nSECOND\n"
    )
    runs = [(source, text[start:end].strip()) for source, start, end in split_text(text)]
    assert [source for source, _ in runs] == [Source.QUOTED, Source.BODY] * 2
    assert [body for source, body in runs if source is Source.BODY] == ["FIRST", "SECOND"]


def test_text_below_an_indented_block_is_an_answer() -> None:
    announcement = "On 02/01/2024 15:04, Jane Roe wrote:"
    text = f"{announcement}\nold one\nold two\nBOTTOM ANSWER"
    start = len(announcement) + 1
    span = (start, start + len("old one\nold two"))
    assert texts(text, Source.BODY, indented=(span,)) == "BOTTOM ANSWER"


def test_an_indented_block_without_announcement_is_text() -> None:
    text = "a list:\nindented words\nmore"
    assert texts(text, Source.BODY, indented=((8, 22),)) == text


def test_a_marked_quotation_is_quoted() -> None:
    text = "mine\nold\nmine too"
    assert texts(text, Source.QUOTED, quoted=((4, 8),)) == "old\n"
    assert texts(text, Source.QUOTED, quoted=((5, 8),)) == "old\n"


SIGNATURES = {
    "delimiter": ("Hello there.\n", "-- \nJane Roe\nExample Ltd\n+44 1632 960000\n"),
    "delimiter without space": ("Hello there.\n", "--\nJane Roe\n"),
    "iphone-en": ("Hello.\n\n", "Sent from my iPhone\n"),
    "iphone-fr": ("Bonjour.\n\n", "Envoyé de mon iPhone\n"),
    "iphone-de": ("Hallo.\n\n", "Von meinem iPhone gesendet\n"),
    "iphone-es": ("Hola.\n\n", "Enviado desde mi iPhone\n"),
    "iphone-pt": ("Olá.\n\n", "Enviado do meu iPhone\n"),
    "iphone-zh-hans": ("你好\n\n", "发自我的iPhone\n"),
    "iphone-zh-hant": ("你好\n\n", "從我的 iPhone 傳送\n"),
    "iphone-ru": ("Привет\n\n", "Отправлено с iPhone\n"),
    "iphone-ko": ("안녕\n\n", "나의 iPhone에서 보냄\n"),
    "iphone-ar": ("مرحبا\n\n", "أُرسلت من الـ iPhone\n"),
    "outlook mobile": ("Hello.\n\n", "Get Outlook for Android\n"),
    "proton": ("Hello.\n\n", "Sent with Proton Mail secure email.\n"),
    "en": ("See you.\n\nBest regards,\n", "Jane Roe\nHead of Nothing\n"),
    "fr": ("À bientôt.\n\nBien cordialement,\n", "Jeanne Dupont\nDirectrice\n"),
    "de": ("Bis bald.\n\nMit freundlichen Grüßen\n", "Jana Muster\n"),
    "es": ("Hasta pronto.\n\nUn saludo,\n", "Juana Pérez\n"),
    "pt": ("Até logo.\n\nAtenciosamente,\n", "Joana Silva\n"),
    "zh": ("再见\n\n此致敬礼\n", "王小明\n某某公司\n"),
    "ru": ("До встречи.\n\nС уважением,\n", "Иван Иванов\n"),
    "ko": ("또 봐요.\n\n감사합니다.\n", "홍길동\n"),
    "ar": ("إلى اللقاء\n\nمع التحية\n", "فلان الفلاني\n"),
}


@pytest.mark.parametrize(("body", "signature"), SIGNATURES.values(), ids=SIGNATURES.keys())
def test_signatures(body: str, signature: str) -> None:
    assert texts(body + signature, Source.SIGNATURE) == signature
    assert texts(body + signature, Source.BODY) == body


@pytest.mark.parametrize(
    "text",
    [
        "Hello.\n-- \n" + "This is a long letter below a delimiter, line after line.\n" * 30,
        "Thanks,\nI forgot: please write to me on my private address from now on, will you?\n",
        "Best regards,\nJane\nPS: my WhatsApp is below\n",
        "Cheers\n" + "short\n" * 12,
        "谢谢\n以后请加我的微信，我们在那里继续谈这个项目。\n",
        "Sent from my office in the capital I would like to tell you about an app.\nMore text.\n",
        "내 휴대폰으로 연락 주세요\n",
    ],
)
def test_what_is_too_long_or_a_sentence_is_no_signature(text: str) -> None:
    assert texts(text, Source.SIGNATURE) == ""


def test_a_signature_above_a_quotation_is_found() -> None:
    text = f"{ANSWER}\n\nBest regards,\nJane Roe\n\n-----Original Message-----\n{OLD}\n"
    assert texts(text, Source.SIGNATURE) == "Jane Roe\n\n"
    assert OLD in texts(text, Source.QUOTED)


def test_a_marked_signature_may_not_hide_a_letter() -> None:
    letter = "\n".join(["this is what the sender really wants to say"] * 40)
    assert texts(letter, Source.BODY, signed=((0, len(letter)),)) == letter
    assert texts("hello\nJane\nCEO", Source.SIGNATURE, signed=((6, 14),)) == "Jane\nCEO"


def test_nothing_gives_nothing() -> None:
    assert split_text("") == ()
