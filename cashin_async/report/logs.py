"""Events as lines of JSON on stderr, one object a line, for schedulers and those who collect logs."""

import json
import logging
import sys
import warnings
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from cashin_async.events import EVENTS, PROGRAM_LOGGED, where

PACKAGE = "cashin_async"


class JsonFormatter(logging.Formatter):
    """A record as one JSON object: time (UTC), level, event, and the event's fields. ASCII: no locale can change it.

    Of what other packages log, the words are left out: they might quote anything.
    """

    def format(self, record: logging.LogRecord) -> str:
        name = getattr(record, "event", None)
        event = EVENTS.get(name) if isinstance(name, str) and record.name.startswith(PACKAGE) else None
        fields = _foreign(record) if event is None else {field: getattr(record, field) for field in event.fields}
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": (event or PROGRAM_LOGGED).name,
        }
        return json.dumps(head | fields)


def _foreign(record: logging.LogRecord) -> dict[str, Any]:
    error = record.exc_info[1] if record.exc_info else None
    return {
        "logger": record.name,
        "where": f"{record.pathname}:{record.lineno}" if error is None else where(error),
        "error": None if error is None else type(error).__name__,
    }


class StderrLines(logging.Handler):
    """Each record is one write to stderr. When nobody reads it any more, the work goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        with suppress(OSError, ValueError):  # ValueError: it is closed
            if sys.stderr is not None:
                sys.stderr.write(f"{text}\n")
                sys.stderr.flush()


def log_to_stderr(level: int) -> None:
    """For a process that logs and nothing else on stderr: our events from `level` on, others' records from WARNING on.

    Python's warnings are records too.
    """
    logging.getLogger().addHandler(StderrLines())
    logging.getLogger(PACKAGE).setLevel(level)
    log = logging.getLogger(f"{PACKAGE}.warnings")

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
    ) -> None:
        PROGRAM_LOGGED.tell(log, logger="py.warnings", where=f"{filename}:{lineno}", error=category.__name__)

    warnings.showwarning = show
