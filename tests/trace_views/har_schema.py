"""HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/) as a JSON Schema: what a log must and may hold. Names that
begin with "_" are anybody's own."""

from __future__ import annotations

from typing import Any

TEXT: dict[str, Any] = {"type": "string"}
WHOLE: dict[str, Any] = {"type": "integer"}
SIZE = {"type": "integer", "minimum": -1}
PHASE = {"type": "number", "minimum": -1}
SPENT = {"type": "number", "minimum": 0}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}


def record(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **optional, "comment": TEXT},
        "required": list(required),
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


def many(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


PAIR = record({"name": TEXT, "value": TEXT})
COOKIE = record({"name": TEXT, "value": TEXT}, path=TEXT, domain=TEXT, expires=TEXT, httpOnly={}, secure={})
MESSAGE = {"httpVersion": TEXT, "cookies": many(COOKIE), "headers": many(PAIR), "headersSize": SIZE, "bodySize": SIZE}
REQUEST = record(
    {"method": TEXT, "url": {"type": "string", "format": "uri"}, "queryString": many(PAIR), **MESSAGE},
    postData=record({"mimeType": TEXT, "text": TEXT}, params=many(PAIR)),
)
CONTENT = record({"size": WHOLE, "mimeType": TEXT}, compression=WHOLE, text=TEXT, encoding=TEXT)
RESPONSE = record({"status": WHOLE, "statusText": TEXT, "content": CONTENT, "redirectURL": TEXT, **MESSAGE})
TIMINGS = record({"send": PHASE, "wait": PHASE, "receive": PHASE}, dns=PHASE, connect=PHASE, blocked=PHASE, ssl=PHASE)
ENTRY = record(
    {
        "startedDateTime": MOMENT,
        "time": SPENT,
        "request": REQUEST,
        "response": RESPONSE,
        "cache": {"type": "object"},
        "timings": TIMINGS,
    },
    pageref=TEXT,
    serverIPAddress=TEXT,
    connection=TEXT,
)
MAKER = record({"name": TEXT, "version": TEXT})
HAR = {
    "type": "object",
    "properties": {
        "log": record({"version": {"const": "1.2"}, "creator": MAKER, "entries": many(ENTRY)}, browser=MAKER)
    },
    "required": ["log"],
    "additionalProperties": False,
}
