"""Every wording that people see about states, errors and the worker, in one place. Each says what to do next.

Evidence comes from below (codes, reasons, exceptions with their fields); the words are only here. Nothing in
this folder repeats an exception's own text unless it was written for people, and never a secret or a URL.
"""

from heliograph.ui.messages._advice import Advice, Notice
from heliograph.ui.messages._problems import describe_problem
from heliograph.ui.messages._runs import (
    ERROR_CODES,
    FAILURES,
    STATES,
    StateWords,
    describe_error_code,
    describe_failure,
    describe_level,
    describe_retrying,
    describe_run_problem,
    describe_source,
    describe_state,
)
from heliograph.ui.messages._sentences import (
    DELETION_EXPLAINED,
    DISCARD_ASKED,
    DISCARDED,
    DISCLAIMER,
    HIGHER_IS_WORSE,
    IMAGE_BUSY,
    IMAGE_FAILED,
    IMAGE_HELP,
    IMAGE_SLOW,
    KEY_HELP,
    LEVEL_WORDS,
    NO_IMAGE_BROWSER,
    POINT_IN_TIME,
    PURGE_EXPLAINED,
    RECORD_LEFT,
    RESULT_EMPTY,
    RESULT_GONE,
    SANDBOX_BANNER,
    SYNTHETIC_BADGE,
)
from heliograph.ui.messages._worker import PAUSES, WORKER_STATES, describe_worker, worker_notice

__all__ = [
    "DELETION_EXPLAINED",
    "DISCARDED",
    "DISCARD_ASKED",
    "DISCLAIMER",
    "ERROR_CODES",
    "FAILURES",
    "HIGHER_IS_WORSE",
    "IMAGE_BUSY",
    "IMAGE_FAILED",
    "IMAGE_HELP",
    "IMAGE_SLOW",
    "KEY_HELP",
    "LEVEL_WORDS",
    "NO_IMAGE_BROWSER",
    "PAUSES",
    "POINT_IN_TIME",
    "PURGE_EXPLAINED",
    "RECORD_LEFT",
    "RESULT_EMPTY",
    "RESULT_GONE",
    "SANDBOX_BANNER",
    "STATES",
    "SYNTHETIC_BADGE",
    "WORKER_STATES",
    "Advice",
    "Notice",
    "StateWords",
    "describe_error_code",
    "describe_failure",
    "describe_level",
    "describe_problem",
    "describe_retrying",
    "describe_run_problem",
    "describe_source",
    "describe_state",
    "describe_worker",
    "worker_notice",
]
