"""What the analysis of a study adds to the store's records: self-report, events, flags, and what was set for
the statistics. Times are text as in the other records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RATING_SCALES = ("stress_0_10", "energy_0_10", "kss")
"""The ready-made ratings: stress and energy from 0 to 10, and the Karolinska Sleepiness Scale from 1 to 9."""

FlagDirection = Literal["up", "down"]
FlagChart = Literal["ewma", "cusum"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewQuestionnaire:
    """A total score that a participant reached on a questionnaire; `answered_local` is a day or a wall time."""

    participant_id: int
    answered_local: str
    instrument: str
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyEvent:
    """Something that happened on a day (or at a wall time) to one participant or, without one, to the whole
    study."""

    id: int
    participant_id: int | None
    on_local: str
    kind: str
    note: str
    created_utc: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NewFlag:
    """A run at which a control chart of a biomarker's column left its limits; `value` is the chart's statistic
    and `limit_value` the limit that it passed."""

    column_name: str
    chart: FlagChart
    run_id: int
    session_local: str
    direction: FlagDirection
    value: float
    limit_value: float
    n_baseline: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Flag:
    """A flag as it is kept, with its participant; dismissed once `dismissed_utc` is set."""

    participant_id: int
    participant_label: str
    column_name: str
    chart: FlagChart
    run_id: int
    session_local: str
    direction: FlagDirection
    value: float
    limit_value: float
    n_baseline: int
    found_utc: str
    dismissed_utc: str | None
    dismissed_note: str | None

    @property
    def key(self) -> FlagKey:
        """What tells this flag from all others."""
        return FlagKey(self.participant_id, self.column_name, self.chart, self.run_id)


@dataclass(frozen=True, slots=True)
class FlagKey:
    """What tells a flag from all others."""

    participant_id: int
    column_name: str
    chart: str
    run_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FlagsDue:
    """A participant whose flags are to be found anew; `version` changes whenever that becomes so once more."""

    participant_id: int
    version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ParticipantChange:
    """A fact about a participant (`date_of_birth`, `birth_sex`, `language` or `accent`) that a run was sent with
    and that differs from what the run before was sent with."""

    run_id: int
    session_local: str
    column: str
    before: str | None
    after: str | None
