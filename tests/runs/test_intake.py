"""Recordings come in by three doors, are kept before anything else, and wait until submitted or discarded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heliograph.audio.errors import SpoolError
from heliograph.audio.spool import TakeWriter
from heliograph.audio.take_facts import TakeEnd
from heliograph.audio.verdicts import Verdict
from heliograph.runs import UploadSubmission, submit_upload
from heliograph.runs.intake import (
    compute_rows,
    discard_recording,
    discard_unfinished,
    keep_file,
    keep_take,
    keep_unfinished,
    load_beginning,
    load_unfinished,
    load_waveform,
)
from heliograph.store import (
    RecordingSource,
    Store,
    UnknownRecordError,
    from_utc_text,
    load_recording,
    load_run,
    recording_path,
    save_participant,
)
from thymia_api.speech import UnreadableRecordingError, decode_recording

ROOT = Path(__file__).resolve().parents[2]
SPEECH = ROOT / "data" / "samples" / "jfk.flac"
RATE = 48_000


@pytest.fixture
def store(tmp_path):
    opened = Store.open(tmp_path / "sandbox", workspace="sandbox", synthetic=True)
    yield opened
    opened.close()


@pytest.fixture
def participant(store):
    return save_participant(
        store, label="P-1", date_of_birth="1990-01-01", birth_sex="FEMALE", language="en-GB", accent=None
    )


def spool(
    store: Store, samples: np.ndarray, *, token: str = "take1", note: str = "", end: TakeEnd = TakeEnd.STOPPED
):
    writer = TakeWriter(store.spool_folder, token, participant_note=note)
    writer.append(samples)
    return writer.close(end=end, filled_s=0.0, wall_clock_s=samples.size / RATE)


def sound(seconds: float = 2.0) -> np.ndarray:
    return np.random.default_rng(7).integers(-3000, 3000, int(seconds * RATE)).astype(np.int16)


def test_a_take_becomes_a_lossless_recording_and_only_then_leaves_the_spool(store, participant):
    samples = sound()
    take = spool(store, samples)
    recording = keep_take(store, take, participant_id=participant)
    kept = decode_recording(recording_path(store, recording))
    assert np.array_equal(np.round(kept.samples * 32768).astype(np.int16), samples)
    assert (recording.facts.source, recording.facts.media_type) == (RecordingSource.WEBRTC, "audio/flac")
    assert recording.facts.processing["echo_cancellation"] == "unknown"
    assert not take.folder.exists()


def test_when_a_take_began_is_kept_with_it_and_of_a_file_nobody_knows(store, participant):
    take = spool(store, sound())
    kept = keep_take(store, take, participant_id=participant)
    assert load_beginning(kept) == from_utc_text(take.facts.started_utc)
    (found,) = load_unfinished(store)
    assert found.started_utc == take.facts.started_utc
    file = keep_file(store, SPEECH.read_bytes(), source=RecordingSource.BUILTIN, participant_id=participant)
    assert load_beginning(file) is None
    assert [found.started_utc for found in load_unfinished(store)][1] == file.created_utc


def test_a_take_stays_in_the_spool_when_it_cannot_be_kept(store, participant, monkeypatch):
    from heliograph.runs import intake
    from heliograph.store import DiskFullError

    def full(*_args, **_named):
        raise DiskFullError("no room")

    take = spool(store, sound())
    monkeypatch.setattr(intake, "save_recording", full)
    with pytest.raises(DiskFullError):
        keep_take(store, take, participant_id=participant)
    assert [found.key for found in load_unfinished(store)] == [take.token]


def test_what_was_cut_off_is_found_again_with_its_participant(store, participant):
    take = spool(store, sound(3.0), note=str(participant), end=TakeEnd.CONNECTION_LOST)
    found = load_unfinished(store)
    assert [(item.participant_id, item.cut_off) for item in found] == [(participant, True)]
    assert found[0].duration_s == pytest.approx(3.0)
    recording = keep_unfinished(store, found[0], participant_id=participant)
    assert recording.facts.processing["ended"] == "connection_lost"
    assert not take.folder.exists()
    waiting = load_unfinished(store)
    assert [(item.item.id, item.participant_id, item.cut_off) for item in waiting] == [
        (recording.id, participant, False)
    ]
    assert load_unfinished(store, exclude_recordings=[recording.id]) == []


def test_a_file_is_kept_byte_for_byte_and_the_same_file_twice_is_one_recording(store, participant):
    data = SPEECH.read_bytes()
    first = keep_file(store, data, source=RecordingSource.UPLOAD, participant_id=participant)
    again = keep_file(store, data, source=RecordingSource.UPLOAD, participant_id=participant)
    assert first.id == again.id
    assert recording_path(store, first).read_bytes() == data
    assert len(load_unfinished(store)) == 1
    assert list(store.spool_folder.iterdir()) == []


def test_a_file_that_is_no_recording_is_refused_and_nothing_is_kept(store, participant):
    with pytest.raises(UnreadableRecordingError):
        keep_file(store, b"not audio at all", source=RecordingSource.UPLOAD, participant_id=participant)
    assert load_unfinished(store) == []
    assert list(store.recordings_folder.iterdir()) == []


def test_a_submitted_recording_no_longer_waits_and_cannot_be_discarded(store, participant):
    recording = keep_file(store, SPEECH.read_bytes(), source=RecordingSource.UPLOAD, participant_id=participant)
    run = submit_upload(
        store, UploadSubmission(submission_key="k", participant_id=participant, recording_id=recording.id)
    )
    assert load_unfinished(store) == []
    discard_recording(store, recording.id)
    assert recording_path(store, recording).exists()
    assert load_run(store, run).recording_id == recording.id


def test_discarding_removes_a_take_and_a_recording_for_good(store, participant):
    spool(store, sound())
    recording = keep_file(store, SPEECH.read_bytes(), source=RecordingSource.UPLOAD, participant_id=participant)
    for item in load_unfinished(store):
        discard_unfinished(store, item)
    assert load_unfinished(store) == []
    assert not recording_path(store, recording).exists()
    with pytest.raises(UnknownRecordError):
        load_recording(store, recording.id)


def test_the_review_says_the_same_after_a_reload_as_when_the_recording_came_in(store, participant):
    recording = keep_file(store, SPEECH.read_bytes(), source=RecordingSource.UPLOAD, participant_id=participant)
    rows = {row.name: row for row in compute_rows(load_recording(store, recording.id))}
    assert rows["speech"].verdict is Verdict.FAIL  # 7.6 s of the sample's 11 s are speech.
    assert rows["length"].verdict is Verdict.PASS
    assert rows["snr"].value == pytest.approx(25.5, abs=1.0)


def test_the_waveform_is_scaled_to_its_loudest_sample(store, participant):
    recording = keep_file(store, SPEECH.read_bytes(), source=RecordingSource.UPLOAD, participant_id=participant)
    lows, highs = load_waveform(recording_path(store, recording), 100)
    assert len(lows) == len(highs) == 100
    assert max(*highs, -min(lows)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("source", "words"), [(RecordingSource.WEBRTC, "The network"), (RecordingSource.LOSSLESS, "a busy computer")]
)
def test_the_review_advises_by_the_recorder_that_was_used(store, participant, source, words):
    kept = keep_file(store, SPEECH.read_bytes(), source=source, participant_id=participant)
    rows = compute_rows(replace(kept, facts=replace(kept.facts, missing_share=0.05)))
    assert [words in row.advice for row in rows if row.name == "gaps"] == [True]


def test_a_take_of_another_participant_is_refused_and_stays_where_it_is(store, participant):
    other = save_participant(
        store, label="P-2", date_of_birth="1990-01-01", birth_sex="FEMALE", language="en-GB", accent=None
    )
    take = spool(store, sound(), note=str(participant))
    with pytest.raises(SpoolError, match="choose that one"):
        keep_take(store, take, participant_id=other)
    (found,) = load_unfinished(store)
    with pytest.raises(SpoolError, match="choose that one"):
        keep_unfinished(store, found, participant_id=other)
    assert [(item.key, item.participant_id) for item in load_unfinished(store)] == [(take.token, participant)]
    assert list(store.recordings_folder.iterdir()) == []
    assert sorted(path.name for path in take.folder.iterdir()) == ["audio.pcm", "take.json", "take.lock"]
    keep_unfinished(store, found, participant_id=participant)
    assert [item.participant_id for item in load_unfinished(store)] == [participant]


@pytest.mark.parametrize("note", ["", "1"])
def test_a_take_of_nobody_is_whosever_keeps_it_and_kept_for_nobody_it_is_its_notes(store, participant, note):
    assert participant == 1
    keep_take(store, spool(store, sound(), note=note), participant_id=None if note else participant)
    assert [item.participant_id for item in load_unfinished(store)] == [participant]
