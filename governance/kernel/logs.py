"""Structured logs: one JSON object a line on stderr, with the request's id.

Never a form's content.
"""

import logging
import sys

import structlog

from governance.kernel import clock


def _add_time(
    _logger: object, _method: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    line["timestamp"] = f"{clock.running():%Y-%m-%dT%H:%M:%S.%fZ}"
    return line


# One list for every configuration: a logger keeps the list that it began with.
PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    _add_time,
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(),
]


def configure(*, level: int = logging.INFO) -> None:
    structlog.configure(
        processors=PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
