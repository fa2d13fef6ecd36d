"""What becomes of a whole text that the model is no judge of."""

import pytest

from nlp import pipeline
from nlp.analysis import AnalysisResult, ReadableText, TextSegment

LURE = (
    "Thank you for adding me on LinkedIn. My client, who stays unnamed, pays 900 euros for a short "
    "paid report. Write to me on WhatsApp +44 7700 900123."
)
# Words of no mail, sentence after sentence, around what the screen looks for.
ODD = (
    "Zarquil vomben trasky WhatsApp oplent quaddis frimmel. "
    "Drovane clusp paid report brindex melvoth scrannig ultrop. "
    "Grifty hanzel pombrick client vextral ommonik dwarrel."
)


def analysed(text: str) -> AnalysisResult:
    return pipeline.analyse(
        ReadableText(segments=(TextSegment(source="body", part="1", text=text),))
    )


def test_text_of_which_no_sentence_is_known_is_unfamiliar():
    result = analysed(ODD)
    assert result.screened
    assert result.is_unfamiliar
    assert result.likeness is None
    assert not [intent for intent in result.intents if intent.origin == "model"]


def test_a_paragraph_of_odd_words_does_not_silence_the_model():
    alone, beside = analysed(LURE), analysed(f"{LURE}\n\n{ODD}")
    assert alone.likeness is not None
    assert beside.likeness is not None
    assert not beside.is_unfamiliar
    assert beside.likeness > 0.5


@pytest.mark.parametrize(
    "terse",
    [
        "As discussed on LinkedIn, let us go on over WhatsApp: +44 7700 900123.",
        "Comme convenu sur LinkedIn, continuons sur WhatsApp : +33 6 39 98 12 34.",
        "Wie auf LinkedIn besprochen, weiter bitte per WhatsApp: +49 170 5550123.",
        "领英上说好的，后面用微信聊吧，微信号 lin_8842。",
        "링크드인에서 말씀드린 대로 카카오톡으로 이어가시죠. 아이디 min_8842",
    ],
)
def test_a_terse_mail_is_judged_whatever_its_subject(terse: str):
    segments = (
        TextSegment(source="subject", part="", text="Zarquil"),
        TextSegment(source="body", part="1", text=terse),
    )
    result = pipeline.analyse(ReadableText(segments=segments))
    assert result.likeness is not None
    assert not result.is_unfamiliar


def test_the_version_names_all_data_that_findings_depend_on(monkeypatch):
    before = pipeline.model_version.__wrapped__()
    read = pipeline._data_files
    seen = {
        path.name
        for folder in (pipeline.lexicon, pipeline.model)
        for path in read(pipeline.files(folder))
    }
    assert {
        "familiar.json",
        "fields.txt",
        "weights.npy",
        "everyday.txt",
        "platforms.toml",
        "en.toml",
    } <= seen
    monkeypatch.setattr(
        pipeline,
        "_data_files",
        lambda folder: (p for p in read(folder) if p.name != "familiar.json"),
    )
    assert pipeline.model_version.__wrapped__() != before
