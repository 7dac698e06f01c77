"""The log: one line an event on stderr, for people on a terminal and as JSON elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

NOISY_LOGGERS = (
    *("alembic", "arq", "asyncio", "common", "hpack", "httpx", "jmcomic", "PIL", "strawberry", "uvicorn"),
)
"""Libraries whose messages only help to debug."""

NAMING_LOGGERS = ("aiosqlite", "httpcore", "psycopg", "sqlalchemy")
"""Libraries whose messages have what is nobody's business in them: names of people, hashes of passwords, the hosts
that people have notified.
"""


def set_up_log(level: str, form: str) -> None:
    """Send all messages, those of libraries too, through one formatter.

    `form` is "console", "json", "words" (a sentence a line, for commands that answer and end) or "": text on a
    terminal, else JSON.
    """
    as_console = form == "console" or (not form and sys.stderr.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(shared, _sentence if form == "words" else _renderer(as_console)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in NAMING_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)


@contextmanager
def log_above_bar() -> Iterator[None]:
    """Within the block the log goes to what `sys.stderr` is at its start.

    While rich shows a progress bar, that is a stream that writes whole lines above it.
    """
    handlers = [handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler]
    before = [handler.setStream(sys.stderr) for handler in handlers]
    try:
        yield
    finally:
        for handler, stream in zip(handlers, before, strict=True):
            if stream is not None:  # None: it was this one already
                handler.setStream(stream)


def _renderer(as_console: bool) -> structlog.types.Processor:
    return structlog.dev.ConsoleRenderer() if as_console else structlog.processors.JSONRenderer(ensure_ascii=False)


def _formatter(shared: list[structlog.types.Processor], last: structlog.types.Processor) -> logging.Formatter:
    is_json = isinstance(last, structlog.processors.JSONRenderer)
    middle: list[structlog.types.Processor] = [structlog.processors.format_exc_info] if is_json else []
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *middle, last],
    )


_NOT_IN_SENTENCES = ("event", "level", "logger", "timestamp", "exc_info")


def _sentence(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    """One line without time or trace: "jmgraph: warning: no list of hosts could be read (role: API)"."""
    values = ", ".join(f"{key}: {value}" for key, value in event.items() if key not in _NOT_IN_SENTENCES)
    return f"jmgraph: {event['level']}: {event['event']}" + (f" ({values})" if values else "")


_SECRET_WORDS = ("token", "secret", "password", "api_key", "authorization", "cookie")


def _without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Mask the values of keys that sound like secrets, should one ever be logged."""
    for key in event:
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = "**********"
    return event
