"""The registry of notes: what kubectl logs besides HTTP, by name, with level, words and source per release.

A room that knows such a fact emits `Note(name, values)`; whether and how it is written is decided here. The values of
each note are named in `NOTES`. `error` and `text` are strings; `seconds` a number.

A printf-style line is a template (`{name}` stands for a value); a structured one has a message and pairs of log key and
value name. "Since" tables read as in `dialects.http`: an empty one, or a release before the first key, means that this
kubectl does not write the line.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubetrace.trace.dialects.client_notes import CLIENT_NOTES
from kubetrace.trace.dialects.command_notes import COMMAND_NOTES
from kubetrace.trace.dialects.forward_notes import FORWARD_NOTES
from kubetrace.trace.dialects.gateway_notes import GATEWAY_NOTES
from kubetrace.trace.dialects.lines import Line, NoteSpec
from kubetrace.trace.dialects.reflector_notes import REFLECTOR_NOTES
from kubetrace.trace.dialects.stream_notes import STREAM_NOTES
from kubetrace.trace.dialects.tunnel_notes import TUNNEL_NOTES

__all__ = ["NOTES", "Line", "NoteSpec"]

NOTES: Mapping[str, NoteSpec] = {
    **CLIENT_NOTES,
    **COMMAND_NOTES,
    **STREAM_NOTES,
    **REFLECTOR_NOTES,
    **GATEWAY_NOTES,
    **FORWARD_NOTES,
    **TUNNEL_NOTES,
}
