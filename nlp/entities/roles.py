"""Roles and offered titles.

Phrases are data (`entities.toml`); the value is the key of the phrase.
"""

from nlp.analysis import EntityResult, EntityType
from nlp.entities.passage import Passage


def find_roles(passage: Passage) -> list[EntityResult]:
    """ROLE entities, one a phrase."""
    return [
        passage.entity(EntityType.ROLE, hit.start, hit.end, hit.key) for hit in passage.hits("role")
    ]
