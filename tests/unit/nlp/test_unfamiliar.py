"""What becomes of a whole text that the model is no judge of."""

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
        "kin.txt",
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
