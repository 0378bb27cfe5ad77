"""What the store keeps, as frozen dataclasses and enums: one dataclass a table, plus the rows that lists, the
overview and the worker need. Times named `*_utc` are text `YYYY-MM-DDTHH:MM:SS.mmmZ`, times named `*_local`
text `YYYY-MM-DDTHH:MM:SS` (the participant's wall clock, no zone); both sort as text. Lengths are seconds,
levels dBFS, shares lie in [0, 1]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SCORE_COLUMNS = (
    "mental_strain",
    "distress",
    "stress",
    "exhaustion",
    "sleep_propensity",
    "low_self_esteem",
    "uniform_distress",
    "uniform_stress",
    "uniform_exhaustion",
    "uniform_sleep_propensity",
    "uniform_low_self_esteem",
)
"""The eleven score columns of `results` and of a trend frame, named as the fields of a section of the API's
answer."""


class RunKind(StrEnum):
    """Where the recording comes from: our own file, or an activity that thymia hosts."""

    UPLOAD = "upload"
    ACTIVITY = "activity"


class RunState(StrEnum):
    """Where a run is in its life here; thymia's own word is kept verbatim in `Run.thymia_status`."""

    QUEUED = "queued"
    CREATED = "created"
    UPLOADING = "uploading"
    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE_OK = "complete_ok"
    COMPLETE_ERROR = "complete_error"
    FAILED = "failed"


FINAL_STATES = frozenset({RunState.COMPLETE_OK, RunState.COMPLETE_ERROR, RunState.FAILED})
OPEN_STATES = frozenset(RunState) - FINAL_STATES


class FailureReason(StrEnum):
    """Why a run ended in `RunState.FAILED`: something on our side or between us and thymia, never the model's
    verdict."""

    UPLOAD_URL_EXPIRED = "upload_url_expired"
    UPLOAD_REFUSED = "upload_refused"
    REJECTED = "rejected"
    UNKNOWN_AT_THYMIA = "unknown_at_thymia"
    DELETED_BEFORE_FETCH = "deleted_before_fetch"
    RECORDING_MISSING = "recording_missing"
    UNREADABLE_ANSWER = "unreadable_answer"
    ACTIVITY_ABANDONED = "activity_abandoned"


class RecordingSource(StrEnum):
    """Which door a recording came through."""

    LOSSLESS = "lossless"
    WEBRTC = "webrtc"
    BUILTIN = "builtin"
    UPLOAD = "upload"


class WorkerState(StrEnum):
    """What the workspace's worker is doing."""

    STANDBY = "standby"
    WORKING = "working"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Participant:
    """A person, known by a label only; `date_of_birth` is `YYYY-MM-DD`."""

    id: int
    label: str
    date_of_birth: str
    birth_sex: str
    language: str
    accent: str | None
    created_utc: str
    updated_utc: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordingFacts:
    """What was measured about a recording before it is stored; None where it is unknown. `processing` tells
    for each browser step (`echo_cancellation`, …) whether it was `on`, `off` or `unknown`."""

    media_type: str
    source: RecordingSource
    duration_s: float | None = None
    speech_s: float | None = None
    level_dbfs: float | None = None
    peak_dbfs: float | None = None
    clipped_share: float | None = None
    snr_db: float | None = None
    bandwidth_hz: float | None = None
    missing_share: float | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None
    wall_clock_s: float | None = None
    processing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """A stored recording: `id` is the SHA-256 of its bytes (hex), `file_name` its name below `recordings/`.
    Once `purged_utc` is set the file is gone and the facts remain."""

    id: str
    file_name: str
    byte_size: int
    facts: RecordingFacts
    created_utc: str
    purged_utc: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRun:
    """Everything needed to carry a run out later. `submission_key` makes submitting idempotent;
    `session_local` None takes `recorded_local`, else the local time of submission. `ratings` are self-report by
    scale. `next_step_utc` None means: due at once."""

    submission_key: str
    kind: RunKind
    participant_id: int
    date_of_birth: str
    birth_sex: str
    language: str
    recording_id: str | None = None
    accent: str | None = None
    asleep_local: str | None = None
    awake_local: str | None = None
    recorded_local: str | None = None
    session_local: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    ratings: Mapping[str, float] = field(default_factory=dict)
    delete_data: bool = False
    data_to_delete: tuple[str, ...] | None = None
    activity_type: str | None = None
    quality_override: str | None = None
    repeats_run_id: int | None = None
    next_step_utc: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One row of `runs`: what was asked for, where it stands, and what thymia said."""

    id: int
    submission_key: str
    kind: RunKind
    participant_id: int
    recording_id: str | None
    repeats_run_id: int | None
    synthetic: bool
    date_of_birth: str
    birth_sex: str
    language: str
    accent: str | None
    asleep_local: str | None
    awake_local: str | None
    recorded_local: str | None
    session_local: str
    delete_data: bool
    data_to_delete: tuple[str, ...] | None
    activity_type: str | None
    quality_override: str | None
    state: RunState
    failure: str | None
    failure_detail: str | None
    thymia_id: str | None
    thymia_status: str | None
    upload_url: str | None
    upload_url_expires_utc: str | None
    activity_link: str | None
    error_code: str | None
    error_reason: str | None
    warnings: tuple[str, ...]
    queued_utc: str
    created_utc: str | None
    run_utc: str | None
    completed_utc: str | None
    deletion_due_utc: str | None
    deleted_at_thymia_utc: str | None
    purged_utc: str | None
    next_step_utc: str | None
    attempts: int
    last_problem: str | None
    needs_attention: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One section of a result: its span in the recording and the scores in [0, 1] (higher is worse); the six
    without `uniform_` are buckets (0, 0.33, 0.66, 1) except `mental_strain`, which is continuous like the
    five `uniform_*`."""

    section: int
    start_s: float
    finish_s: float
    transcript: str | None = None
    mental_strain: float | None = None
    distress: float | None = None
    stress: float | None = None
    exhaustion: float | None = None
    sleep_propensity: float | None = None
    low_self_esteem: float | None = None
    uniform_distress: float | None = None
    uniform_stress: float | None = None
    uniform_exhaustion: float | None = None
    uniform_sleep_propensity: float | None = None
    uniform_low_self_esteem: float | None = None

    @property
    def scores(self) -> dict[str, float]:
        """The scores that are there, by column name."""
        found = {name: getattr(self, name) for name in SCORE_COLUMNS}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEvent:
    """A moment in a run's life: it came into `state`, or something (`detail`) happened to it there."""

    id: int
    at_utc: str
    state: RunState
    detail: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer of the API about a run (`operation` is `create` or `get`), `body` verbatim."""

    id: int
    operation: str
    received_utc: str
    body: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFilter:
    """Which runs a list shows; all conditions hold together and an empty one lets everything pass. Labels and
    tags match exactly, `since_local` is inclusive and `until_local` exclusive, `text` is a run number, an id
    at thymia or the beginning of (a word of) a participant's label."""

    states: frozenset[RunState] = frozenset()
    participant_label: str | None = None
    tag_name: str | None = None
    tag_value: str | None = None
    since_local: str | None = None
    until_local: str | None = None
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRow:
    """A run as lists show it; `scores` are those of the first section, by column name (empty without a
    result)."""

    id: int
    participant_id: int
    participant_label: str
    kind: RunKind
    state: RunState
    failure: str | None
    error_code: str | None
    warnings: tuple[str, ...]
    session_local: str
    queued_utc: str
    completed_utc: str | None
    deletion_due_utc: str | None
    last_problem: str | None
    needs_attention: bool
    synthetic: bool
    recording_id: str | None
    tags: Mapping[str, str]
    scores: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDetail:
    """A run with everything that hangs on it, read in one snapshot; `repeated_by` are the runs that repeat
    it."""

    run: Run
    participant: Participant
    recording: Recording | None
    tags: Mapping[str, str]
    events: tuple[RunEvent, ...]
    sections: tuple[Section, ...]
    answers: tuple[Answer, ...]
    repeated_by: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """The state of a workspace at a glance; lists are newest first, `upcoming_deletions` soonest first. The
    counts are exact, the lists limited."""

    state_counts: Mapping[RunState, int]
    n_runs: int
    n_participants: int
    n_recordings: int
    n_attention: int
    latest_results: tuple[RunRow, ...]
    attention: tuple[RunRow, ...]
    upcoming_deletions: tuple[RunRow, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerStatus:
    """What the worker last said about itself; `api_problem` is None while thymia can be reached."""

    pid: int | None
    host: str | None
    state: WorkerState
    reason: str | None
    detail: str | None
    since_utc: str | None
    heartbeat_utc: str | None
    api_problem: str | None
    api_problem_since_utc: str | None
    api_reached_utc: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreFacts:
    """The store itself: where it is, how large (database with its log, and recordings), which schema."""

    folder: str
    database_bytes: int
    schema_version: str
    sqlite_version: str
    created_utc: str
