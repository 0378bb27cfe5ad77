"""Runs under glass: the steps of runs against a thymia in memory, on a clock that the test moves."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from heliograph.runs import ActivitySubmission, UploadSubmission, WorkerOptions, submit_activity, submit_upload
from heliograph.runs.health import ApiHealth
from heliograph.runs.steps import RunSteps
from heliograph.store import Recording, Run, RunState, Store, advance_run, from_utc_text, load_run
from tests.runs.thymia_double import ThymiaDouble


@dataclass
class Lab:
    """A store, a thymia and a clock. `restart()` forgets what only memory held."""

    store: Store
    participant_id: int
    make_recording: Callable[[int], Recording]
    thymia: ThymiaDouble = field(default_factory=ThymiaDouble)
    now_utc: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(seconds=1))
    points: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)
    _steps: RunSteps | None = None

    def __post_init__(self) -> None:
        self.options = WorkerOptions(
            now_utc=lambda: self.now_utc, random_source=random.Random(1), on_step=self.points.append
        )
        self.health = ApiHealth(self.options.problems_until_unreachable)

    def submit(self, **fields: Any) -> int:
        """Queue an upload run on a recording of its own."""
        number = next(self._numbers)
        fields.setdefault("recording_id", self.make_recording(number).id)
        fields.setdefault("submission_key", f"key-{number}")
        run_id = submit_upload(self.store, UploadSubmission(participant_id=self.participant_id, **fields))
        return self._reach(run_id)

    def submit_activity(self, **fields: Any) -> int:
        """Queue an activity run."""
        fields.setdefault("submission_key", f"key-{next(self._numbers)}")
        run_id = submit_activity(self.store, ActivitySubmission(participant_id=self.participant_id, **fields))
        return self._reach(run_id)

    def _reach(self, run_id: int) -> int:
        """Submissions are planned by the real clock, which may have passed this one when a test is slow."""
        due_utc = self.load(run_id).next_step_utc
        if due_utc is not None:
            self.now_utc = max(self.now_utc, from_utc_text(due_utc))
        return run_id

    def step(self, run_id: int) -> Run:
        """Do what is due now, and return the run as it is then."""

        async def carry_on() -> None:
            async with self.thymia.make_client() as client:
                if self._steps is None:
                    self._steps = RunSteps(self.store, client, options=self.options, health=self.health)
                self._steps._client = client  # a client lives on one event loop, memory on many
                await self._steps.carry_on(run_id)

        asyncio.run(carry_on())
        return self.load(run_id)

    def step_when_due(self, run_id: int) -> Run:
        """Wait until the next step is due, and do it."""
        due_utc = self.load(run_id).next_step_utc
        assert due_utc is not None, "no step is planned"
        self.now_utc = max(self.now_utc, from_utc_text(due_utc))
        return self.step(run_id)

    def wait_s(self, run_id: int) -> float:
        """Seconds until the next step."""
        due_utc = self.load(run_id).next_step_utc
        assert due_utc is not None, "no step is planned"
        return (from_utc_text(due_utc) - self.now_utc).total_seconds()

    def load(self, run_id: int) -> Run:
        return load_run(self.store, run_id)

    def move(self, run_id: int, state: RunState, **changes: object) -> None:
        """Put a run into a state, as if the process had died there."""
        assert advance_run(self.store, run_id, expect=set(RunState), state=state, changes=changes)

    def restart(self) -> None:
        self._steps = None

    def run_to_running(self, **fields: Any) -> Run:
        """A run whose recording has been sent."""
        run = self.step(self.submit(**fields))
        assert run.state == RunState.RUNNING
        return run

    def run_to_complete(self, *, value: float = 0.5, **fields: Any) -> Run:
        """A run with results."""
        run = self.run_to_running(**fields)
        self.thymia.complete(run.thymia_id, value)
        run = self.step_when_due(run.id)
        assert run.state == RunState.COMPLETE_OK
        return run
