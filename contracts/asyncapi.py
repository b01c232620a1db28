"""The AsyncAPI 3.0 document: which topics there are, who may read them, and what stands in their records."""

from typing import Any

from contracts.catalogue import EVENTS, Event
from contracts.topics import DEAD_LETTERS, TOPICS, Topic

_DAY_MS = 24 * 3600 * 1000

_TEXT = {"type": "string"}
_ENVELOPE: dict[str, Any] = {
    "type": "object",
    "description": "CloudEvents 1.0, binary mode: every header is UTF-8 text.",
    "required": [
        *["content-type", "ce_specversion", "ce_id", "ce_type", "ce_source"],
        *["ce_subject", "ce_time", "ce_sequence", "ce_correlationid", "ce_causationid"],
    ],
    "properties": {
        "content-type": {"const": "application/json"},
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid", "description": "UUIDv7. A copy has the same id: skip it."},
        "ce_type": {
            "type": "string",
            "description": "rollout.<owner>.<fact>.v<major>; pass over types you don't know.",
        },
        "ce_source": {"type": "string", "description": "The service that told it: always the owner of the topic."},
        "ce_subject": {"type": "string", "description": "The key of the record."},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_sequence": {"type": "string", "description": "Decimal, per topic and key, from 1."},
        "ce_correlationid": {"type": "string", "description": "The first cause of the chain."},
        "ce_causationid": {"type": "string", "description": "The direct cause: an event, a request or a timer."},
        "traceparent": {"type": "string", "description": "W3C trace context."},
    },
}


def document() -> dict[str, Any]:
    """The whole document. Payloads are the JSON Schemas beside it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "rollout-hub",
            "version": "1",
            "description": "Facts of a smart-meter rollout. Inside a major version only optional fields are added; "
            "read tolerantly. A null value (tombstone) means: forget this key.",
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(topic) for name, topic in TOPICS.items()},
        "operations": {f"tell:{name}": _operation(topic) for name, topic in TOPICS.items()},
        "components": {
            "messages": {
                **{name: _message(event) for name, event in sorted(EVENTS.items())},
                "RecordDeadLettered": _dead_letter(),
            },
            "schemas": {"envelope": _ENVELOPE},
        },
    }


def _messages_of(topic: Topic) -> list[str]:
    if topic.name == DEAD_LETTERS:
        return ["RecordDeadLettered"]
    return sorted(name for name, event in EVENTS.items() if event.topic == topic.name)


def _channel(topic: Topic) -> dict[str, Any]:
    kept: dict[str, Any] = {"cleanup.policy": [topic.cleanup]}
    if topic.retention_days is not None:
        kept["retention.ms"] = topic.retention_days * _DAY_MS
    if topic.compaction_days is not None:
        kept["max.compaction.lag.ms"] = topic.compaction_days * _DAY_MS
    return {
        "address": topic.name,
        "description": f"Key: {topic.key}. Owner: {topic.owner or 'every service'}. Audience: {topic.audience}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages_of(topic)},
        "bindings": {
            "kafka": {"topic": topic.name, "partitions": topic.partitions, "topicConfiguration": kept},
        },
        "x-owner": topic.owner,
        "x-audience": topic.audience,
        "x-readers": sorted(topic.readers),
    }


def _operation(topic: Topic) -> dict[str, Any]:
    channel = f"#/channels/{topic.name}"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in _messages_of(topic)],
    }


def _message(event: type[Event]) -> dict[str, Any]:
    described = (event.__doc__ or "").strip()
    return {
        "name": event.ce_type,
        "title": event.__name__,
        "summary": described.split("\n", 1)[0],
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/envelope"},
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./{event.ce_type}.json"},
        },
        "bindings": {"kafka": {"key": {"type": "string", "description": event.key_field}}},
    }


def _dead_letter() -> dict[str, Any]:
    """Dead letters have no model of their own: they are what could not be read."""
    return {
        "name": "RecordDeadLettered",
        "title": "RecordDeadLettered",
        "summary": "A record that could not be read, and why.",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "required": ["dl_reason", "dl_topic", "dl_partition", "dl_offset"],
            "properties": {
                "dl_reason": {"type": "string", "description": "unreadable, foreign_event or too_large, with detail."},
                "dl_topic": _TEXT,
                "dl_partition": _TEXT,
                "dl_offset": _TEXT,
            },
        },
        "payload": {"type": "string", "description": "The original bytes, encrypted for their case."},
        "bindings": {"kafka": {"key": {"type": "string", "description": "<service>:<original key>"}}},
    }
