"""Which neighbouring results are not comparable, and the words for it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis import find_breaks
from heliograph.analysis.comparability import BANDWIDTH_RATIO, NARROW_BAND_HZ, SNR_CHANGE_DB, SPEECH_RATIO
from heliograph.store import RecordingSource

SAME = {
    "kind": "upload",
    "source": "webrtc",
    "processing": json.dumps({"echo_cancellation": "off", "noise_suppression": "off", "auto_gain_control": "off"}),
    "bandwidth_hz": 11000.0,
    "snr_db": 30.0,
    "speech_s": 25.0,
    "language": "en-GB",
    "accent": None,
    "date_of_birth": "1990-01-01",
    "birth_sex": "FEMALE",
}


def make_runs(*changes):
    """One result a day; each has the facts of `SAME` but for what is given."""
    rows = [
        {"run_id": number, "session_local": pd.Timestamp("2026-03-02 08:00") + pd.Timedelta(days=number)}
        | SAME
        | change
        for number, change in enumerate(changes, start=1)
    ]
    return pd.DataFrame(rows, columns=["run_id", "session_local", *SAME])


def reasons(*changes):
    return [reason for entry in find_breaks(make_runs(*changes))["reasons"] for reason in entry]


def test_alike_results_have_no_break():
    assert find_breaks(make_runs({}, {}, {})).empty


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": "upload"}, "source: webrtc to upload"),
        ({"kind": "activity", "source": None}, "source: webrtc to activity"),
        ({"processing": '{"echo_cancellation": "on"}'}, "echo cancellation: off to on"),
        ({"processing": '{"auto_gain_control": true}'}, "automatic gain: off to on"),
        ({"bandwidth_hz": 7000.0}, "bandwidth: 11.0 to 7.0 kHz"),
        ({"snr_db": 19.9}, "signal to noise: 30 to 20 dB"),
        ({"speech_s": 12.0}, "speech: 25 to 12 s"),
    ],
)
def test_a_marked_change_of_the_recording_breaks_the_line_and_says_why(change, words):
    found = find_breaks(make_runs({}, change))
    assert found["reasons"].tolist() == [(words,)]
    assert found["about"].tolist() == ["recording"]
    assert found["run_id"].tolist() == [2]
    assert found["run_id_before"].tolist() == [1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"language": "de-DE"}, "language: en-GB to de-DE"),
        ({"accent": "Scottish"}, "accent: none given to Scottish"),
        ({"date_of_birth": "1991-01-01"}, "date of birth: 1990-01-01 to 1991-01-01"),
        ({"birth_sex": "MALE"}, "birth sex: FEMALE to MALE"),
    ],
)
def test_a_change_of_the_person_is_told(change, words):
    found = find_breaks(make_runs({}, change))
    assert found["reasons"].tolist() == [(words,)]
    assert found["about"].tolist() == ["person"]


def test_all_reasons_of_one_break_stand_together():
    found = find_breaks(make_runs({}, {"source": "upload", "snr_db": 5.0, "language": "de-DE"}))
    assert found["about"].tolist() == ["both"]
    assert len(found["reasons"].iloc[0]) == 3


@pytest.mark.parametrize(
    ("name", "old", "at_limit"),
    [
        ("bandwidth_hz", 6000.0, 6000.0 * BANDWIDTH_RATIO),
        ("snr_db", 20.0, 20.0 + SNR_CHANGE_DB),
        ("speech_s", 12.0, 12.0 * SPEECH_RATIO),
    ],
)
def test_a_limit_itself_is_no_break_and_both_directions_are_alike(name, old, at_limit):
    assert reasons({name: old}, {name: at_limit}) == []
    assert reasons({name: at_limit}, {name: old}) == []
    beyond = at_limit + 0.01 * old
    assert len(reasons({name: old}, {name: beyond})) == len(reasons({name: beyond}, {name: old})) == 1


def test_telephone_bandwidth_is_another_one_however_near():
    assert len(reasons({"bandwidth_hz": NARROW_BAND_HZ - 100.0}, {"bandwidth_hz": NARROW_BAND_HZ + 100.0})) == 1
    assert reasons({"bandwidth_hz": 3000.0}, {"bandwidth_hz": 3900.0}) == []


@pytest.mark.parametrize("name", ["source", "processing", "bandwidth_hz", "snr_db", "speech_s", "language"])
def test_what_is_not_known_on_one_side_is_no_change(name):
    unknown = None if isinstance(SAME[name], str) else np.nan
    assert reasons({}, {name: unknown}, {}) == []


@pytest.mark.parametrize(
    "processing",
    [
        '{"echo_cancellation": "unknown"}',
        '{"echo_cancellation": "off", "ended": "cut_off"}',
        "{}",
        "[1]",
        "no json",
        '{"echo_cancellation": 3}',
    ],
)
def test_unknown_or_odd_processing_is_no_change(processing):
    assert reasons({}, {"processing": processing}) == []


@pytest.mark.parametrize("source", [str(source) for source in RecordingSource])
def test_recordings_of_one_source_are_comparable_and_those_of_any_other_are_not(source):
    others = [{"source": str(other)} for other in RecordingSource if other != source]
    assert reasons({"source": source}, {"source": source}) == []
    for other in others:
        assert reasons({"source": source}, other) == [f"source: {source} to {other['source']}"]


def test_a_change_back_is_a_second_break():
    found = find_breaks(make_runs({}, {"source": "upload"}, {}))
    assert found["run_id"].tolist() == [2, 3]


def test_order_of_rows_does_not_matter_and_runs_without_a_result_are_passed_over():
    frame = make_runs({}, {"source": "upload"}, {})
    frame["state"] = ["complete_ok", "complete_error", "complete_ok"]
    assert find_breaks(frame).empty
    shuffled = make_runs({}, {"source": "upload"}, {}).iloc[[2, 0, 1]]
    before = shuffled.copy()
    assert find_breaks(shuffled)["run_id"].tolist() == [2, 3]
    pd.testing.assert_frame_equal(shuffled, before)


@pytest.mark.parametrize("n", [0, 1])
def test_none_or_one_result_has_no_break(n):
    found = find_breaks(make_runs(*[{}] * n))
    assert found.empty
    assert found.columns.tolist() == ["run_id", "at", "run_id_before", "at_before", "about", "reasons"]


def test_a_frame_without_the_facts_has_no_breaks():
    assert find_breaks(make_runs({}, {"source": "upload"})[["run_id", "session_local"]]).empty


def test_zero_is_a_value_like_any_other():
    assert reasons({"speech_s": 0.0}, {"speech_s": 0.0}) == []
    assert len(reasons({"speech_s": 0.0}, {"speech_s": 1.0})) == 1
