"""A full stop behind a user name ends the sentence; it is no spoken sign."""

import pytest

from nlp.analysis import EntityType, ReadableText, TextSegment
from nlp.entities import find_entities


@pytest.mark.parametrize("app", ["WhatsApp", "WeChat", "Signal", "LINE", "Threema", "Skype"])
def test_a_plain_user_name_before_a_full_stop_is_not_disguised(app):
    text = f"Please add me on {app}, user name rowan_desk27.\n\nKind regards,\nA"
    segment = TextSegment(source="body", part="1", text=text)
    found = [
        entity
        for entity in find_entities(ReadableText(segments=(segment,)))
        if entity.type is EntityType.HANDLE
    ]
    assert [(entity.span.text, entity.flags) for entity in found] == [("rowan_desk27", ())]
