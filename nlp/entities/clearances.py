"""Clearances and identity papers:  the class only, so that no log repeats a number.

Phrases are data (`entities.toml`); the value is the key of the phrase.
"""

from nlp.analysis import EntityResult, EntityType
from nlp.entities.passage import Passage


def find_clearances(passage: Passage) -> list[EntityResult]:
    """CLEARANCE entities, one a phrase."""
    return [
        passage.entity(EntityType.CLEARANCE, hit.start, hit.end, hit.key)
        for hit in passage.hits("clearance")
    ]
