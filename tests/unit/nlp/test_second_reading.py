"""When a mail is read again in context, and what becomes of the answer."""

from collections.abc import Iterable

import pytest

from nlp import pipeline
from nlp.analysis import AnalysisResult, ReadableText, TextSegment
from nlp.components import model
from nlp.model.context import ContextModel

TEXT = "Dear colleague, a partner of ours would pay for a short report. Write to me on WhatsApp."


class Recorder:
    """An encoder that keeps what it is asked."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.ranked: list[str] = []
        self.score = 0.0

    def read(self, sentences: Iterable[tuple[int, str]]) -> float:
        given = [*sentences]
        self.ranked = [sentence for _, sentence in given]
        self.texts.append(" ".join(sentence for _, sentence in sorted(given)))
        return self.score


@pytest.fixture
def recorder(monkeypatch) -> Recorder:
    made = Recorder()
    monkeypatch.setattr(ContextModel, "score", lambda _, sentences: made.read(sentences))
    return made


def analysed(text: str) -> AnalysisResult:
    segments = (TextSegment(source="body", part="1", text=text),)
    return pipeline.analyse(ReadableText(segments=segments, read_in_full=True))


def test_mail_that_its_words_leave_open_is_read_again(recorder, monkeypatch):
    monkeypatch.setattr(model, "OPEN_FROM", 0.0)
    monkeypatch.setattr(model, "OPEN_TO", 1.0)
    before = analysed(TEXT).likeness
    assert len(recorder.texts) == 1
    assert "short report" in recorder.texts[0]
    assert before is not None
    recorder.score = 2.0
    after = analysed(TEXT).likeness
    assert after is not None
    assert after > before


def test_what_is_asked_is_read_before_what_is_harmless(recorder, monkeypatch):
    monkeypatch.setattr(model, "OPEN_FROM", 0.0)
    monkeypatch.setattr(model, "OPEN_TO", 1.0)
    harmless = "The weather was fine on Sunday and we walked along the river. "
    analysed(harmless * 3 + TEXT)
    asked = next(place for place, one in enumerate(recorder.ranked) if "messenger" in one)
    weather = next(place for place, one in enumerate(recorder.ranked) if "weather" in one)
    assert asked < weather


def test_warming_makes_the_encoder(tmp_path):
    pipeline.trained().to_disk(tmp_path / "cold")
    cold = model.IntentModel().from_disk(tmp_path / "cold")
    assert cold.context is not None
    assert not cold.context._made
    cold.warm()
    assert cold.context._made


@pytest.mark.parametrize("bounds", [(0.0, 0.0), (1.0, 1.0)])
def test_all_other_mail_is_not(recorder, monkeypatch, bounds):
    monkeypatch.setattr(model, "OPEN_FROM", bounds[0])
    monkeypatch.setattr(model, "OPEN_TO", bounds[1])
    assert analysed(TEXT).likeness is not None
    assert recorder.texts == []


def test_what_is_quoted_or_signed_is_not_read_again(recorder, monkeypatch):
    monkeypatch.setattr(model, "OPEN_FROM", 0.0)
    monkeypatch.setattr(model, "OPEN_TO", 1.0)
    segments = (
        TextSegment(source="body", part="1", text=TEXT),
        TextSegment(
            source="signature", part="1", text="Our office is on the third floor.", base=200
        ),
    )
    pipeline.analyse(ReadableText(segments=segments, read_in_full=True))
    assert "third floor" not in recorder.texts[0]


def test_what_is_written_into_a_new_folder_is_read_again(tmp_path):
    trained = pipeline.trained()
    trained.to_disk(tmp_path / "new")
    read = model.IntentModel().from_disk(tmp_path / "new")
    assert read.context is not None
    assert trained.context is not None
    assert read.context.blend == trained.context.blend
    assert read.context.score([(0, TEXT)]) == trained.context.score([(0, TEXT)])
    assert read.kin.words == trained.kin.words
