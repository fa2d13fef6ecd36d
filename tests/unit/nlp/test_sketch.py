"""A text is known again when it is reworded, and whoever and wherever it speaks of."""

import pytest

from nlp import pipeline
from nlp.analysis import ReadableText, TextSegment
from nlp.sketch import BANDS, bands_of, rare_words

ENGLISH = (
    "Dear Dr Martin, I am Anna Keller from a consulting firm in Singapore. We are looking for an expert in"
    " propulsion who could write short reports for our client, who prefers to remain unnamed for now. Each"
    " report is paid 2,000 USD. Let us continue on WhatsApp +65 8123 4567, as I seldom read this mailbox."
)
REWORDED = (
    "Dear Dr Martin, my name is Anna Keller and I represent a consulting firm in Singapore. We need an expert in"
    " propulsion who would write brief reports for a client, who prefers to stay unnamed for now. Every"
    " report is paid 2,000 USD. Please continue on WhatsApp +65 8123 4567, as I rarely read this mailbox."
)
SWAPS = {
    "name": ("Anna Keller", "Wei Chen"),
    "recipient": ("Dr Martin", "Ms Yılmaz"),
    "messenger": ("WhatsApp +65 8123 4567", "Telegram @wei_c88"),
    "country": ("Singapore", "Brazil"),
    "amount": ("2,000 USD", "850 EUR"),
}
CHINESE = (
    "马丁博士您好，我看到了您的履历，您在推进系统方面的多年经验令人印象深刻。我们的客户目前不便透露身份，"
    "需要一些关于行业趋势的简短书面报告。每份报告报酬2000美元。请加微信 anna_k88 继续聊，我很少看这个邮箱。"
)
CHINESE_REWORDED = (
    "马丁博士您好，我读了您的履历，您在推进系统方面的丰富经验令人印象深刻。我们的客户暂时不便透露身份，"
    "想要几份关于行业趋势的简短书面报告。每份报告报酬2000美元。请加微信 anna_k88 再聊，我不常看这个邮箱。"
)
KOREAN = (
    "마틴 박사님 안녕하세요. 추진 시스템 분야의 오랜 경력을 보고 연락드립니다. 저희 고객은 아직 이름을 밝히기 어렵고"
    " 산업 동향에 대한 짧은 보고서를 필요로 합니다. 보고서 한 편에 2000달러를 드립니다. 카카오톡으로 계속 이야기해요."
)

SHORT = "please call me on my other number tomorrow thanks"
LONG = "reports about the market for propulsion would help our client who stays unnamed"


def result(text):
    return pipeline.analyse(
        ReadableText(segments=(TextSegment(source="body", part="1", text=text),))
    )


@pytest.mark.parametrize("swap", SWAPS)
def test_a_swap_changes_no_band_and_no_word(swap):
    before, after = result(ENGLISH), result(ENGLISH.replace(*SWAPS[swap]))
    assert len(before.sketch) == BANDS
    assert (before.sketch, before.shape, before.words) == (after.sketch, after.shape, after.words)


@pytest.mark.parametrize(
    ("one", "other"), [(ENGLISH, REWORDED), (CHINESE, CHINESE_REWORDED)], ids=["en", "zh"]
)
def test_a_rewording_shares_several_bands(one, other):
    first, second = result(one).sketch, result(other).sketch
    assert len(first) == len(second) == BANDS
    assert 2 <= len(set(first) & set(second)) < BANDS


def test_korean_particles_change_nothing():
    changed = KOREAN.replace("보고서를", "보고서가").replace("동향에", "동향의")
    assert result(KOREAN).sketch == result(changed).sketch != ()


def test_unrelated_texts_share_no_band():
    sketches = [result(text).sketch for text in (ENGLISH, CHINESE, KOREAN)]
    assert all(sketches)
    assert len(set().union(*sketches)) == 3 * BANDS


def test_a_short_text_has_no_sketch():
    assert bands_of(SHORT.split()) == ()
    assert bands_of(["again"] * 40) == ()


def test_bands_are_the_same_for_ever():
    assert bands_of(LONG.split())[:2] == ("e561f51dc293", "7653c2e55948")


def test_the_order_of_moves_is_the_same_across_languages():
    german = (
        "Sehr geehrter Herr Dr. Martin, ich bin auf Ihr Profil gestoßen. Unser Kunde, der vorerst ungenannt bleiben"
        " möchte, braucht kurze schriftliche Berichte. Jeder Bericht wird mit 2.000 USD bezahlt. Lassen Sie uns auf"
        " WhatsApp weiterschreiben: +65 8123 4567, dieses Postfach lese ich selten."
    )
    english = (
        "Dear Dr Martin, I came across your profile. Our client, who prefers to remain unnamed for now, needs short"
        " written reports. Each report is paid 2,000 USD. Let us continue on WhatsApp: +65 8123 4567, this mailbox"
        " I seldom read."
    )
    assert result(german).shape == result(english).shape != ""


def test_rare_words_are_what_few_letters_talk_of():
    assert "propulsion" in result(ENGLISH).words
    assert not {"keller", "singapore", "whatsapp", "report", "client"} & set(result(ENGLISH).words)
    assert (
        len(rare_words([f"zz{'abcdefghij'[n % 10]}{'klmnopqrst'[n // 10]}" for n in range(60)]))
        == 24
    )


def test_ordinary_mail_is_not_sketched():
    plain = result("The canteen is closed on Friday. " * 6)
    assert not plain.screened
    assert (plain.sketch, plain.shape, plain.words) == ((), "", ())
