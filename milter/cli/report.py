"""What `scan`, `apply` and `explain` print of a judgement: one JSON object, or table rows.

The JSON is a contract (docs/cli.md): keys are added, never renamed or removed. Refuses to judge:
it only spells out values. Failure: none.
"""

from typing import Any

from milter.judge.policy import severity
from milter.mail.analysis import Entity, Intent
from milter.mail.finding import Evidence
from milter.mail.verdict import Action, WeighedFinding
from milter.pipeline import Assessment


def as_json(path: str, index: int, assessment: Assessment) -> dict[str, Any]:
    """The object of the scan contract for one message."""
    verdict, reading = assessment.verdict, assessment.reading
    analysis = reading.analysis if reading else None
    return {
        "path": path,
        "index": index,
        "message_id": reading.header.message_id if reading else "",
        "disposition": strictest(assessment),
        "verdict": {
            "label": verdict.label.value,
            "score_db": verdict.score_db,
            "probability": verdict.probability,
        },
        "language": verdict.language,
        "intents": [_intent(intent) for intent in analysis.intents] if analysis else [],
        "entities": [_entity(entity) for entity in analysis.entities] if analysis else [],
        "findings": [_finding(weighed) for weighed in verdict.findings],
        "degraded": list(verdict.degraded),
        "uninspected": list(reading.uninspected) if reading else [],
        "screened": reading.screened if reading else False,
        "elapsed_ms": round(assessment.elapsed_seconds * 1000, 3),
        "versions": dict(verdict.versions),
    }


def strictest(assessment: Assessment) -> str:
    """The strictest disposition over all recipients."""
    actions = [disposition.action for disposition in assessment.dispositions]
    return max(actions, key=severity, default=Action.DELIVER).value


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "source": evidence.source.value,
        "part": evidence.part,
        "start": evidence.start,
        "end": evidence.end,
        "text": evidence.text,
    }


def _intent(intent: Intent) -> dict[str, Any]:
    return {
        "label": intent.label,
        "strength": intent.strength,
        "attributes": list(intent.attributes),
        "evidence": [_evidence(evidence) for evidence in intent.evidence],
    }


def _entity(entity: Entity) -> dict[str, Any]:
    return {
        "type": entity.type,
        "text": entity.text,
        "value": entity.value,
        "platform": entity.platform,
        "source": entity.source.value,
        "part": entity.part,
        "start": entity.start,
        "end": entity.end,
    }


def _finding(weighed: WeighedFinding) -> dict[str, Any]:
    return {
        "code": weighed.finding.code,
        "family": weighed.family,
        "weight_db": weighed.weight_db,
        "summary": weighed.summary,
        "strength": weighed.finding.strength,
        "evidence": [_evidence(evidence) for evidence in weighed.finding.evidence],
    }
