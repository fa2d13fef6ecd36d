"""When a mail is read again in context, and what becomes of the answer."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from nlp import pipeline
from nlp.analysis import AnalysisResult, ReadableText, TextSegment
from nlp.components import model
from nlp.components.model import Said
from nlp.entities import find_entities
from nlp.model.context import ContextModel, Reading

TEXT = "Dear colleague, a partner of ours would pay for a short report. Write to me on WhatsApp."


class Recorder:
    """An encoder that keeps what it is asked."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.ranked: list[str] = []
        self.likeness = 0.0
        self.heard: dict[str, float] = {}
        self.without = ""

    def read(self, model: ContextModel, sentences: Iterable[tuple[int, str]]) -> Reading:
        given = [*sentences]
        self.ranked = [sentence for _, sentence in given]
        self.texts.append(" ".join(sentence for _, sentence in sorted(given)))
        labels = np.array([self.heard.get(column.name, -99.0) for column in model.columns])
        has_room = (place for place, text in given if not self.without or self.without not in text)
        kinds = np.array([self.likeness, 0.0, -self.likeness, 0.0, 0.0])
        return Reading(kinds, dict.fromkeys(has_room, labels))


@pytest.fixture
def recorder(monkeypatch) -> Recorder:
    made = Recorder()
    monkeypatch.setattr(ContextModel, "read", lambda one, sentences: made.read(one, sentences))
    return made


def analysed(text: str) -> AnalysisResult:
    segments = (TextSegment(source="body", part="1", text=text),)
    return pipeline.analyse(ReadableText(segments=segments, read_in_full=True))


def test_mail_that_its_words_do_not_rule_out_is_read_again(recorder, monkeypatch):
    monkeypatch.setattr(model, "OPEN_FROM", 0.0)
    before = analysed(TEXT).likeness
    assert len(recorder.texts) == 1
    assert "short report" in recorder.texts[0]
    assert before is not None
    recorder.likeness = 2.0
    after = analysed(TEXT).likeness
    assert after is not None
    assert after > before


def test_what_is_asked_is_read_before_what_is_harmless(recorder, monkeypatch):
    monkeypatch.setattr(model, "OPEN_FROM", 0.0)
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


def test_all_other_mail_is_not(recorder, monkeypatch):
    monkeypatch.setattr(model, "OPEN_FROM", 1.0)
    assert analysed(TEXT).likeness is not None
    assert recorder.texts == []


def heard_in(recorder: Recorder) -> list[Said]:
    segments = (TextSegment(source="body", part="1", text=TEXT),)
    stretches, _ = pipeline._masked(segments, find_entities(ReadableText(segments=segments)))
    with pipeline.pipeline().memory_zone():
        return list(pipeline._document(pipeline.pipeline(), stretches, ("any", "en"))._.said.said)


def test_what_a_sentence_does_is_heard_where_it_is_read(recorder, monkeypatch):
    monkeypatch.setattr(model, "OPEN_FROM", 0.0)
    assert "trial" not in {one.name for one in heard_in(recorder)}
    recorder.heard = {"trial": 99.0}
    found = [one for one in heard_in(recorder) if one.name == "trial"]
    assert len(found) == 2
    assert found[0].span < found[1].span
    assert {one.strength for one in found} == {2}


def test_a_sentence_that_had_no_room_is_heard_by_its_words(recorder, monkeypatch):
    monkeypatch.setattr(model, "OPEN_FROM", 1.0)
    by_words = heard_in(recorder)
    monkeypatch.setattr(model, "OPEN_FROM", 0.0)
    recorder.without = "report"
    heard = heard_in(recorder)
    assert by_words
    assert heard == [one for one in by_words if one.span == by_words[0].span]


def test_labels_of_another_order_are_refused():
    trained = pipeline.trained()
    assert trained.context is not None
    assert trained.sentences is not None
    assert trained.whole is not None
    other = replace(trained.context, columns=trained.context.columns[::-1])
    with pytest.raises(ValueError, match="labels in context"):
        model.IntentModel().take(
            trained.sentences, trained.whole, trained.table, trained.familiar, other
        )


def test_what_is_quoted_or_signed_is_not_read_again(recorder, monkeypatch):
    monkeypatch.setattr(model, "OPEN_FROM", 0.0)
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
    once, again = (one.read([(0, TEXT)]) for one in (trained.context, read.context))
    assert (again.kinds == once.kinds).all()
    assert (again.labels[0] == once.labels[0]).all()
    assert read.table.words == trained.table.words
