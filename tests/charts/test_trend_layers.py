"""What stands around a participant's runs in the figure, each with numbers that are known."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from heliograph.charts import BIOMARKER_COLOURS, plot_trend
from heliograph.charts.trend_layers import (
    BaselineLayer,
    BreakLayer,
    ControlLayer,
    EventLayer,
    FlagLayer,
    SlopeLayer,
    TrendLayers,
)

sys.path.insert(0, str(Path(__file__).parent))
from frames import START, make_trend_frame

DAY = 24
HOSTILE = '<a href="https://e.test">x</a><b>$y$'


def plot(frame, layers, **changes):
    settings = {
        "participant_label": "P-001",
        "workspace": "sandbox",
        "synthetic": True,
        "drawn_on": date(2026, 5, 1),
        "layers": layers,
    }
    return plot_trend(frame, **(settings | changes))


def traces(figure, name, axis=None):
    return [trace for trace in figure.data if trace.name == name and axis in (None, trace.yaxis)]


def texts(figure):
    title = figure.layout.title
    return " ".join([title.text, title.subtitle.text, *(note.text for note in figure.layout.annotations)])


def make_control(frame, flags, **columns):
    rows = pd.DataFrame(
        {
            "run_id": frame["run_id"],
            "at": pd.to_datetime(frame["session_local"]),
            "z": 0.4,
            "centre": 0.4,
            "low": 0.3,
            "high": 0.5,
            "flag": flags,
        }
        | columns
    )
    return ControlLayer("EWMA", "EWMA, λ = 0.2", rows)


def test_the_own_normal_range_is_a_band_over_the_whole_view_with_its_n_and_darker_over_its_own_runs():
    frame = make_trend_frame([DAY * n for n in range(10)])
    layer = BaselineLayer(n=3, low=0.2, high=0.6, mean=0.4, run_ids=frozenset({1, 2, 3}))
    figure = plot(frame, TrendLayers(baselines={"mental_strain": layer}))
    (band,) = traces(figure, "own normal", "y")
    assert set(band.y) == {0.2, 0.6}
    assert min(band.x) < frame["session_local"].iloc[0]
    assert max(band.x) > frame["session_local"].iloc[-1]
    (runs,) = traces(figure, "baseline runs", "y")
    assert frame["session_local"].iloc[2] < max(runs.x) < frame["session_local"].iloc[3]
    assert "own normal 0.20 to 0.60 (95% for a new run, n = 3)" in texts(figure)


def test_too_few_runs_for_a_baseline_are_said_and_no_band_is_drawn():
    layer = BaselineLayer(n=3, problem="not enough runs for a baseline (3 of 5)")
    figure = plot(make_trend_frame([0, DAY, 2 * DAY]), TrendLayers(baselines={"mental_strain": layer}))
    assert not traces(figure, "own normal")
    assert "not enough runs for a baseline (3 of 5)" in texts(figure)


def test_every_biomarkers_baseline_is_drawn_in_its_own_panel():
    layer = BaselineLayer(n=5, low=0.2, high=0.6, mean=0.4)
    figure = plot(
        make_trend_frame([0, DAY]), TrendLayers(baselines={"uniform_stress": layer, "uniform_exhaustion": layer})
    )
    assert {trace.yaxis for trace in traces(figure, "own normal")} == {"y3", "y4"}


@pytest.mark.parametrize(("main", "first"), [("mental_strain", "Mental strain"), ("exhaustion", "Exhaustion")])
def test_the_chosen_biomarker_stands_large_on_top_and_the_others_keep_their_order(main, first):
    figure = plot(make_trend_frame([0, DAY]), TrendLayers(), main=main)
    titles = {trace.yaxis: trace.name for trace in figure.data if trace.mode == "markers"}
    assert titles["y"] == first
    others = [titles[f"y{number}"] for number in range(2, 7)]
    names = ["Mental strain", "Distress", "Stress", "Exhaustion", "Sleep propensity", "Low self-esteem"]
    assert others == [name for name in names if name != first]


def test_an_unknown_biomarker_is_refused_by_name():
    with pytest.raises(ValueError, match="burnout"):
        plot(make_trend_frame([0]), TrendLayers(), main="burnout")


def test_the_noise_floor_boxes_each_step_around_the_earlier_value_and_not_across_a_break():
    frame = make_trend_frame([0, DAY, 9 * DAY, 10 * DAY])
    frame["mental_strain"] = [0.4, 0.5, 0.6, 0.7]
    layers = TrendLayers(mdc=0.1, mdc_n=14, breaks=[BreakLayer(4, ("bandwidth: 11.0 to 3.5 kHz",))])
    figure = plot(frame, layers)
    (boxes,) = traces(figure, "noise floor")
    steps = [
        [value for value in boxes.y[start : start + 5] if value is not None] for start in range(0, len(boxes.y), 6)
    ]
    assert [(round(min(step), 9), round(max(step), 9)) for step in steps] == [(0.3, 0.5), (0.4, 0.6)]
    assert list(boxes.x[:2]) == list(frame["session_local"][:2])
    assert "steps within ±0.10 (n = 14 repeats)" in texts(figure)


def test_the_slope_is_the_line_of_its_intercept_and_is_told_with_its_interval_and_n():
    frame = make_trend_frame([0, 7 * DAY, 14 * DAY])
    slope = SlopeLayer(n=3, per_week=0.1, low=-0.05, high=0.2, intercept=0.3, start=pd.Timestamp(START))
    figure = plot(frame, TrendLayers(slope=slope))
    assert traces(figure, "slope")[0].y == pytest.approx([0.3, 0.5])
    assert "+0.100 a week (−0.050 to +0.200, n = 3)" in texts(figure)


def test_flags_ring_their_runs_and_dismissed_ones_are_grey():
    frame = make_trend_frame([0, DAY, 2 * DAY])
    flags = [FlagLayer(2, "mental_strain", "up"), FlagLayer(3, "mental_strain", "up", dismissed=True)]
    figure = plot(frame, TrendLayers(flags=flags))
    (ring,), (grey,) = traces(figure, "flag", "y"), traces(figure, "dismissed flag", "y")
    assert list(ring.x) == [frame["session_local"][1]]
    assert list(grey.x) == [frame["session_local"][2]]
    assert ring.marker.color != grey.marker.color
    points = next(trace for trace in figure.data if trace.name == "Mental strain")
    assert "flag: above own normal" in points.customdata[1][1]
    assert "(dismissed)" in points.customdata[2][1]
    assert "flagged as a drift" in texts(figure)


def test_the_ring_colour_is_none_of_the_biomarkers():
    for mode in ("light", "dark"):
        figure = plot(make_trend_frame([0]), TrendLayers(flags=[FlagLayer(1, "mental_strain", "up")]), mode=mode)
        assert traces(figure, "flag")[0].marker.color not in BIOMARKER_COLOURS[mode].values()


def test_a_break_cuts_the_line_in_every_panel_and_says_why():
    frame = make_trend_frame([0, DAY, 2 * DAY])
    figure = plot(frame, TrendLayers(breaks=[BreakLayer(3, ("live recorder to built-in recorder",))]))
    for name in ("Mental strain line", "Stress line"):
        assert [value is None for value in traces(figure, name)[0].y] == [False, False, True, False]
    (mark,) = traces(figure, "not comparable")
    assert list(mark.text) == ["a"]
    assert frame["session_local"][1] < mark.x[0] < frame["session_local"][2]
    assert "live recorder to built-in recorder" in mark.hovertext[0]
    assert "<b>a</b>  4 Mar: live recorder to built-in recorder" in texts(figure)


def test_a_break_before_the_range_shown_is_not_marked_and_many_are_counted():
    frame = make_trend_frame([DAY * n for n in range(40)])
    breaks = [BreakLayer(run_id, ("signal to noise: 28 to 14 dB",)) for run_id in range(1, 40)]
    figure = plot(frame, TrendLayers(breaks=[*breaks, BreakLayer(4711, ("elsewhere",))]))
    (mark,) = traces(figure, "not comparable")
    assert len(mark.x) == 38
    assert mark.text[25:28] == ("z", "…", "…")
    assert "and 34 more" in texts(figure)


def test_events_are_lines_with_their_kind_and_give_way_to_each_other():
    frame = make_trend_frame([DAY * n for n in range(30)])
    events = [
        EventLayer("2026-03-05", "medication", "started"),
        EventLayer("2026-03-06T09:30:00", "exam", whole_study=True),
        EventLayer("2026-03-28", "night shift"),
        EventLayer("2025-01-01", "long ago"),
    ]
    figure = plot(frame, TrendLayers(events=events))
    (marks,) = traces(figure, "event")
    assert list(marks.text) == ["medication", "exam", "night shift"]
    assert marks.y[0] != marks.y[1]
    assert marks.y[0] == marks.y[2]
    assert "started" in marks.hovertext[0]
    assert "whole study" in marks.hovertext[1]
    high = figure.layout.yaxis.range[1]
    assert high > max(marks.y) > 1


def test_events_whose_words_would_meet_have_numbers_that_the_notes_explain():
    frame = make_trend_frame([DAY * n for n in range(30)])
    events = [EventLayer(f"2026-03-{day:02d}", f"exam {day}") for day in range(5, 17)]
    figure = plot(frame, TrendLayers(events=events))
    (marks,) = traces(figure, "event")
    assert list(marks.text) == [str(number) for number in range(1, 13)]
    assert "exam 5" in marks.hovertext[0]
    words = texts(figure)
    assert "<b>1</b>  5 Mar: exam 5<br><b>2</b>  6 Mar: exam 6" in words
    assert "<b>8</b>  12 Mar: exam 12" in words
    assert "exam 13" not in words
    assert "and 4 more dated notes" in words
    assert "Mar: medication" not in texts(
        plot(frame, TrendLayers(events=[EventLayer("2026-03-05", "medication")]))
    )


PHONE_AXIS_PX, LETTER_PX = 260, 5.7  # As Chromium draws 11 px letters; a browser test looks at it.


def find_boxes(marks, first, last):
    """Where the words of events stand on a phone: (left, right, row), and each line's place and row."""
    at = [(pd.Timestamp(x) - first) / (last - first) * PHONE_AXIS_PX for x in marks.x]
    boxes = []
    if isinstance(marks.textposition, str):
        return [(place - 8.5, place + 8.5, y) for place, y in zip(at, marks.y, strict=True)], []
    for place, text, side, y in zip(at, marks.text, marks.textposition, marks.y, strict=True):
        width = LETTER_PX * len(text) + 7
        boxes.append((place - width, place, y) if side == "middle left" else (place, place + width, y))
    return boxes, list(zip(at, marks.y, strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_on_a_phone_words_of_events_meet_neither_each_other_nor_lines(seed):
    rng = np.random.default_rng(seed)
    frame = make_trend_frame([DAY * n for n in range(60)])
    first, last = START, START + pd.Timedelta(days=59)
    kinds = ["medication", "exam", "night shift", "medication change", "flu", "moved to another town"]
    events = [
        EventLayer(str((pd.Timestamp(first) + pd.Timedelta(days=int(day))).date()), str(rng.choice(kinds)))
        for day in rng.choice(60, size=rng.integers(2, 8), replace=False)
    ]
    (marks,) = traces(plot(frame, TrendLayers(events=events)), "event")
    boxes, lines = find_boxes(marks, pd.Timestamp(first).normalize(), pd.Timestamp(last))
    assert boxes
    for number, (left, right, row) in enumerate(boxes):
        assert right <= PHONE_AXIS_PX + 20
        for other_left, other_right, other_row in boxes[number + 1 :]:
            assert row != other_row or right <= other_left or other_right <= left
        for at, top in lines:
            assert top <= row or not left + 1 < at < right - 1


def test_the_control_chart_has_its_limits_and_marks_what_is_outside():
    frame = make_trend_frame([0, DAY, 2 * DAY])
    figure = plot(frame, TrendLayers(control=make_control(frame, [None, "up", "down"])))
    (chart,) = traces(figure, "EWMA")
    assert chart.yaxis == "y7"
    assert [entry[0] for entry in chart.customdata] == [1, 2, 3]
    assert list(traces(figure, "upper limit")[0].y) == [0.5, 0.5, 0.5]
    assert traces(figure, "outside")[0].marker.symbol == ("triangle-up", "triangle-down")
    assert "EWMA, λ = 0.2" in texts(figure)


def test_a_two_sided_chart_has_a_line_for_each_side():
    frame = make_trend_frame([0, DAY])
    control = make_control(frame, [None, "down"], z=[0.1, 0.0], z_low=[-1.0, -6.0], low=-5.0, high=5.0, centre=0.0)
    figure = plot(frame, TrendLayers(control=control))
    assert [list(trace.y) for trace in traces(figure, "EWMA")] == [[0.1, 0.0], [-1.0, -6.0]]
    assert list(traces(figure, "outside")[0].y) == [-6.0]
    low, high = figure.layout.yaxis7.range
    assert low < -6
    assert high > 5


def test_a_control_chart_of_other_runs_than_those_in_view_is_left_out():
    frame = make_trend_frame([0, DAY])
    control = make_control(make_trend_frame([0, DAY]).assign(run_id=[77, 78]), [None, None])
    assert not traces(plot(frame, TrendLayers(control=control)), "EWMA")


def test_sleep_and_time_of_day_are_dots_below_and_missing_ones_are_left_out():
    frame = make_trend_frame([0, DAY, 2 * DAY])
    known = pd.DataFrame(
        {"run_id": [1, 2, 3], "sleep_h": [7.0, np.nan, 8.0], "hours_awake": [1.0, np.nan, 20.0], "hour": [8.0] * 3}
    )
    figure = plot(frame, TrendLayers(confounders=known))
    assert list(traces(figure, "Hours slept")[0].y) == [7.0, 8.0]
    assert (
        figure.layout[traces(figure, "Hours awake at the recording")[0].yaxis.replace("y", "yaxis")].range[1] > 20
    )
    assert len(traces(figure, "Time of day")[0].y) == 3
    assert {trace.xaxis for trace in figure.data if trace.name == "Hours slept"} == {"x"}


def test_no_strip_is_drawn_where_nothing_is_known():
    known = pd.DataFrame({"run_id": [1], "sleep_h": [np.nan], "hours_awake": [np.nan], "hour": [np.nan]})
    assert not traces(plot(make_trend_frame([0]), TrendLayers(confounders=known)), "Hours slept")


def test_replaced_values_are_charted_large_and_said_on_the_figure():
    frame = make_trend_frame([0, DAY, 2 * DAY])
    layers = TrendLayers(values={1: 0.1, 2: float("nan"), 3: 0.3}, values_words="Mental strain adjusted: n = 30")
    figure = plot(frame, layers)
    points = next(trace for trace in figure.data if trace.name == "Mental strain")
    assert list(points.y) == [0.1, 0.3]
    assert "adjusted: n = 30" in texts(figure)


def test_the_shape_is_the_recordings_quality_and_is_explained_when_it_differs():
    frame = make_trend_frame([0, DAY, 2 * DAY, 3 * DAY]).assign(quality=["good", "fair", "poor", "unknown"])
    figure = plot(frame, TrendLayers())
    points = next(trace for trace in figure.data if trace.name == "Mental strain")
    assert points.marker.symbol == ("circle", "diamond", "triangle-up", "square")
    assert "Recording: ● good  ◆ fair  ▲ poor  ■ not measured" in texts(figure)
    assert "Recording:" not in texts(plot(frame.assign(quality="good"), TrendLayers()))


def test_levels_carry_no_band_slope_noise_floor_control_chart_or_ring():
    frame = make_trend_frame([0, DAY, 2 * DAY])
    layers = TrendLayers(
        baselines={"uniform_stress": BaselineLayer(n=5, low=0.2, high=0.6, mean=0.4)},
        slope=SlopeLayer(3, 0.1, 0.0, 0.2, 0.3, pd.Timestamp(START)),
        control=make_control(frame, [None] * 3),
        mdc=0.1,
        flags=[FlagLayer(2, "uniform_stress", "up")],
    )
    figure = plot(frame, layers, buckets=True, main="stress")
    drawn = {trace.name for trace in figure.data}
    assert not drawn & {"own normal", "slope", "noise floor", "EWMA", "flag"}
    assert list(next(trace for trace in figure.data if trace.name == "Stress").y) == list(frame["stress"])


def test_every_axis_of_scores_says_which_way_is_worse():
    notes = [note.text for note in plot(make_trend_frame([0]), TrendLayers()).layout.annotations]
    assert notes.count("worse →") == 6


def test_a_hover_tells_source_noise_bandwidth_speech_and_what_processed_the_sound():
    known = json.dumps({"echo_cancellation": "off", "noise_suppression": "on", "auto_gain_control": "off"})
    frame = make_trend_frame([0]).assign(
        source="builtin", speech_s=31.4, snr_db=24.2, bandwidth_hz=7800.0, processing=known
    )
    told = next(trace for trace in plot(frame, TrendLayers()).data if trace.name == "Stress").customdata[0][1]
    assert "built-in recorder · 31 s speech · SNR 24 dB · 7.8 kHz · processed: noise" in told
    for state, words in (("off", "not processed"), ("unknown", None)):
        steps = dict.fromkeys(("echo_cancellation", "noise_suppression", "auto_gain_control"), state)
        figure = plot(frame.assign(processing=json.dumps(steps)), TrendLayers())
        told = next(trace for trace in figure.data if trace.name == "Stress").customdata[0][1]
        assert (words in told) if words else ("processed" not in told)


def test_markup_in_events_and_reasons_stays_text():
    frame = make_trend_frame([0, DAY, 2 * DAY])
    layers = TrendLayers(
        events=[EventLayer("2026-03-03", HOSTILE, HOSTILE)],
        breaks=[BreakLayer(2, (f"accent: none to {HOSTILE}",))],
        values={1: 0.1},
        values_words=HOSTILE,
    )
    figure = plot(frame, layers)
    (event,), (mark,) = traces(figure, "event"), traces(figure, "not comparable")
    for text in (event.text[0], event.hovertext[0], mark.hovertext[0], texts(figure)):
        assert "<a" not in text
        assert "$y" not in text


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("offsets", [[], [0], [0, 0]])
def test_layers_around_no_run_or_one_are_drawn(offsets, mode):
    frame = make_trend_frame(offsets)
    layers = TrendLayers(
        baselines={"mental_strain": BaselineLayer(n=5, low=0.2, high=0.6, mean=0.4)},
        slope=SlopeLayer(5, 0.1, 0.0, 0.2, 0.3, pd.Timestamp(START)),
        control=make_control(frame, [None] * len(offsets)),
        mdc=0.1,
        flags=[FlagLayer(1, "mental_strain", "up")],
        breaks=[BreakLayer(1, ("x",))],
        events=[EventLayer("2026-03-02", "exam")],
    )
    json.loads(plot(frame, layers, mode=mode).to_json())
