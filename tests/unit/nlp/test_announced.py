"""Who announces that somebody else will write, in every language of the lists; and who does not."""

import pytest

from nlp.analysis import ReadableText, TextSegment
from nlp.announced import announces_somebody
from nlp.pipeline import analyse

ANNOUNCED = [
    ("en", "My client will write to you directly next week."),
    ("en", "Our partner, Mr. Tan, would like to contact you about the details."),
    ("en", "You will hear from our director shortly."),
    ("en", "I have asked my colleague Olga Smirnova to reach out."),
    ("fr", "Notre client vous écrira directement cette semaine."),
    ("fr", "Mon collègue Antoine Girard prendra contact avec vous."),
    ("fr", "Vous recevrez un courriel de notre partenaire."),
    ("de", "Mein Kollege Lukas Weber wird sich bei Ihnen melden."),
    ("de", "Unser Auftraggeber wird Ihnen direkt schreiben."),
    ("de", "Unsere Kundin meldet sich nächste Woche bei Ihnen."),
    ("es", "Nuestro cliente le escribirá en los próximos días."),
    ("es", "Mi socio Carlos Rojas se pondrá en contacto con usted."),
    ("pt", "O nosso cliente vai entrar em contato com você."),
    ("pt", "Meu sócio Thiago lhe escreverá amanhã."),
    ("ru", "Наш заказчик напишет вам на этой неделе."),
    ("ru", "С вами свяжется мой коллега Иван."),
    ("zh", "客户会直接给您发邮件。"),
    ("zh", "我的同事李静稍后会联系您。"),
    ("zh", "委託方會直接聯繫您。"),
    ("zh", "我們的合作夥伴將寫信給您。"),
    ("ko", "저희 고객사에서 직접 연락드릴 예정입니다."),
    ("ko", "제 동료 김지우가 이메일을 보낼 것입니다."),
    ("ar", "سيتواصل معك عميلنا مباشرة."),
    ("ar", "عميلنا سيكتب لك هذا الأسبوع."),
]
NOT_ANNOUNCED = [
    ("en", "Our partners will never contact you by phone."),
    ("en", "The client will not write to you."),
    ("en", "My client would like a short paper, six to eight pages."),
    ("en", "I will write to you next week."),
    ("en", "Please contact my colleague if you have questions."),
    ("en", "Our client is a listed manufacturer."),
    ("fr", "Notre client souhaite une note de dix pages."),
    ("fr", "Notre client ne vous écrira pas."),
    ("fr", "Merci de contacter mon collègue."),
    ("de", "Mein Kollege wird die Unterlagen prüfen."),
    ("de", "Bitte melden Sie sich bei meinem Kollegen."),
    ("de", "Unser Kunde wird Ihnen niemals schreiben."),
    ("es", "Nuestro cliente necesita un informe breve."),
    ("es", "Nuestro cliente nunca le escribirá."),
    ("pt", "Nosso cliente quer um relatório curto."),
    ("ru", "Заказчику нужна аналитическая записка."),
    ("ru", "Наш клиент не свяжется с вами."),
    ("zh", "客户想约一篇分析稿。"),
    ("zh", "客户不会联系您。"),
    ("zh", "请联系我的同事。"),
    ("ko", "고객사가 짧은 보고서를 의뢰합니다."),
    ("ko", "제 동료에게 연락해 주세요."),
    ("ar", "يريد عميلنا تقريرا قصيرا."),
    ("ar", "لن يتواصل معك عميلنا."),
    ("en", "The manager will send the invoice tomorrow."),
]


def segment(text: str, source: str = "body") -> TextSegment:
    return TextSegment(source=source, part="1", text=text)


@pytest.mark.parametrize(("language", "text"), ANNOUNCED)
def test_announced(language: str, text: str) -> None:
    assert announces_somebody([segment(f"Good day.\n{text}\nRegards")], ("any", language))


@pytest.mark.parametrize(("language", "text"), NOT_ANNOUNCED)
def test_not_announced(language: str, text: str) -> None:
    assert not announces_somebody([segment(text)], ("any", language))


def test_what_others_wrote_announces_nothing() -> None:
    text = "My client will write to you directly."
    assert not announces_somebody([segment(text, "quoted"), segment(text, "attachment")], ("en",))


def test_it_is_part_of_the_analysis() -> None:
    text = (
        "Thank you for our talk on LinkedIn. A partner of ours would pay for a short report."
        " My client will write to you directly on WhatsApp."
    )
    assert analyse(ReadableText(segments=(segment(text),))).announces
    assert not analyse(
        ReadableText(segments=(segment(text.replace("client", "letter")),))
    ).announces
