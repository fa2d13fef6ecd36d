"""Fields of technology and policy:  context for the customer, never guilt.

Phrases are data (`entities.toml`); the value is the key of the phrase.
"""

from nlp.analysis import EntityResult, EntityType
from nlp.entities.passage import Passage


def find_sectors(passage: Passage) -> list[EntityResult]:
    """SECTOR entities, one a phrase."""
    return [
        passage.entity(EntityType.SECTOR, hit.start, hit.end, hit.key)
        for hit in passage.hits("sector")
    ]
