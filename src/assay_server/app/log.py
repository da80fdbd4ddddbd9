"""The log on standard error: one JSON object or one plain line for each event."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

_encode = msgspec.json.Encoder(enc_hook=str).encode


class JsonLines(logging.Formatter):
    """``ts``, ``level``, ``logger``, ``message``, and the fields of the event."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line; a traceback goes into it as a text."""
        event: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return _one_line(event)


def _one_line(event: dict[str, Any]) -> str:
    """``event`` as JSON in ASCII: signs that reverse or hide text are escaped.

    Hardly any line has one, so those go the slow way.
    """
    try:
        line = _encode(event)
    except UnicodeEncodeError:  # half a surrogate pair, as in the names of odd files
        pass
    else:
        if line.isascii():
            return line.decode()
    return json.dumps(event, ensure_ascii=True, default=str)


class PlainLines(logging.Formatter):
    """For a person at a terminal: time, what, and what matters of a call."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line, and a traceback after it."""
        fields = getattr(record, "fields", {})
        time = f"{datetime.fromtimestamp(record.created).astimezone():%H:%M:%S}"
        if "code" in fields:
            method = str(fields["rpc.method"]).rpartition("/")[2]
            why = fields["reason"] or fields["code"]
            line = (
                f"{time} {why:<18} {method:<18} {fields['duration_ms']:>7.1f} ms  "
                f"{fields['principal']}  {fields['resource']}"
            )
        else:
            line = f"{time} {record.levelname.lower()}: {record.getMessage()}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        # What callers choose must not move the cursor of whoever reads the log.
        return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in line)


def start_logging(*, level: str, style: str) -> None:
    """Send everything from ``level`` on to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else PlainLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # No line tells them, and to find them out costs more than to write the line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    for chatty in ("alembic", "asyncio", "grpc"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.root.level))
