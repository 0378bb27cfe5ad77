"""Whatever a kill leaves of a recording on its way into the store is its participant's, and one recording."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from heliograph.audio.spool import TakeWriter
from heliograph.audio.take_facts import TakeEnd
from heliograph.runs.intake import keep_file, keep_unfinished, load_unfinished
from heliograph.store import RecordingSource, Store, adopt_orphans, load_waiting_recordings, save_participant

ROOT = Path(__file__).parents[2]
SPEECH = ROOT / "data" / "samples" / "jfk.flac"
RATE = 48_000
KILLED = """
import os, pathlib, signal, sys
from heliograph.audio.spool import load_take
from heliograph.runs import intake
from heliograph.store import RecordingSource, Store, _recordings
folder, step, work = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
def die(*arguments, **keywords):
    os.kill(os.getpid(), signal.SIGKILL)
def save_and_die(*arguments, **keywords):
    save(*arguments, **keywords)
    die()
save = intake.save_recording
if step == "published":
    _recordings._insert = die
else:
    intake.save_recording = save_and_die
with Store.open(folder, workspace="sandbox", synthetic=True) as store:
    if work == "keep_take":
        intake.keep_take(store, load_take(store.spool_folder, "take1"), participant_id=1)
    else:
        data = pathlib.Path(sys.argv[4]).read_bytes()
        intake.keep_file(store, data, source=RecordingSource.UPLOAD, participant_id=1)
"""


def kill(store: Store, step: str, work: str) -> None:
    """A process that keeps something for participant 1 dies at that step; another one starts."""
    process = subprocess.run(
        [sys.executable, "-c", KILLED, str(store.folder), step, work, str(SPEECH)],
        cwd=ROOT,
        check=False,
        timeout=120,
    )
    assert process.returncode == -signal.SIGKILL
    assert adopt_orphans(store) == (step == "published")


@pytest.fixture
def people(store: Store) -> list[int]:
    return [
        save_participant(store, label=label, date_of_birth="1990-01-01", birth_sex="FEMALE", language="en-GB")
        for label in ("P-1", "P-2")
    ]


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")


@pytest.mark.parametrize("step", ["published", "saved"])
def test_a_take_that_was_being_kept_is_one_recording_of_its_participant(
    store: Store, people: list[int], step: str
) -> None:
    writer = TakeWriter(store.spool_folder, "take1", participant_note=str(people[0]))
    writer.append(np.random.default_rng(7).integers(-3000, 3000, RATE).astype(np.int16))
    writer.close(end=TakeEnd.STOPPED, filled_s=0.0, wall_clock_s=1.0)
    kill(store, step, "keep_take")
    found = load_unfinished(store)
    assert [item.participant_id for item in found] == [people[0]] * 2
    kept = {keep_unfinished(store, item, participant_id=people[0]).id for item in found}
    assert [(recording.id, whose) for recording, whose in load_waiting_recordings(store)] == [
        (*kept, people[0]),
    ]
    assert [item.participant_id for item in load_unfinished(store)] == [people[0]]


@pytest.mark.parametrize("step", ["published", "saved"])
def test_a_file_that_was_being_kept_is_one_recording_of_its_participant(
    store: Store, people: list[int], step: str
) -> None:
    kill(store, step, "keep_file")
    assert [item.participant_id for item in load_unfinished(store)] == [people[0]]
    keep_file(store, SPEECH.read_bytes(), source=RecordingSource.UPLOAD, participant_id=people[0])
    assert [item.participant_id for item in load_unfinished(store)] == [people[0]]
