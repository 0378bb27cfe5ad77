"""The sleep page: everybody's sleep, and what goes with it in the voice at two levels that never mix."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from streamlit.testing.v1 import AppTest

from heliograph.charts.export import write_numbers_csv
from heliograph.store import StudySettings, load_sleep_rows
from heliograph.ui.levels_panel import format_interval, format_p
from heliograph.ui.sleep_models import fit_six
from tests.pages import demo


def figures(app: AppTest) -> list[str]:
    return [str(chart.proto) for chart in app.get("plotly_chart")]


def tables(app: AppTest):
    return [frame.value for frame in app.dataframe]


def test_an_empty_workspace_says_where_sleep_times_come_from(open_page, store):
    app = open_page("sleep")
    assert "No sleep times yet" in " ".join(entry.value for entry in app.markdown)
    assert app.button(key="sleep_record")
    assert not figures(app)


def test_everybodys_sleep_is_drawn_and_tabled_with_what_is_missing(open_page, pilot):
    app = open_page("sleep")
    times, measures = figures(app)
    assert "n = 12 participants" in times
    assert "Synthetic sandbox scores" in times
    assert "Social jetlag" in measures
    summary, people = tables(app)
    assert list(summary["Participants"])[:4] == [12] * 4
    means = dict(zip(summary["Measure"], summary["Mean ± SD"], strict=True))
    assert re.fullmatch(r"\d+ ± \d+", means["Sleep Regularity Index"])
    assert re.fullmatch(r"\d\d:\d\d ± \d+\.\d\d h", means["Middle of sleep"])
    assert re.fullmatch(r"\d+\.\d\d ± \d+\.\d\d", means["Duration"])
    assert len(people) == 12
    assert any("consecutive days" in text for text in people["Missing"])


def test_what_is_not_known_of_a_person_is_a_dash_in_the_table_and_empty_in_the_file(open_page, pilot, monkeypatch):
    files = {}
    monkeypatch.setattr(
        "heliograph.ui.sleep_panel.show_chart",
        lambda make, *, key, numbers, **others: files.update({key: numbers}),
    )
    people = open_page("sleep").dataframe[1]
    assert people.value["Regularity Index"].isna().any()
    assert people.proto.placeholder == "–"
    written = write_numbers_csv(files["sleep_measures"], synthetic=True).decode("utf-8-sig")
    assert not re.search(r"(^|,)(none|nan|–)(,|$)", written, re.IGNORECASE | re.MULTILINE)


def test_a_range_without_sleep_says_so(open_page, store):
    demo.add_session(store, demo.add_participant(store, "P-001"), datetime(2020, 5, 4, 8, 0), key="a")
    assert len(figures(open_page("sleep"))) == 2
    app = open_page("sleep", sleep_range="30 days")
    assert "Choose a longer one" in app.info[0].value
    assert not figures(app)


def test_the_voice_has_a_figure_and_a_table_for_each_level_and_none_for_both(open_page, pilot):
    app = open_page("sleep", sleep_view="Sleep and the voice", sleep_biomarker="Exhaustion")
    within, between, six = figures(app)
    assert "Exhaustion within persons" in within
    assert "Exhaustion between persons" in between
    assert "minus the person" in within
    assert "per hour more" in within
    assert "n = 12 participants" in between
    assert "All six" in " ".join(entry.value for entry in app.subheader)
    assert len(tables(app)) == 2
    assert list(tables(app)[0]["Biomarker"]) == list(tables(app)[1]["Biomarker"])
    assert "Mundlak" in six


@pytest.mark.parametrize("measure", ["Irregularity", "Sleep Regularity Index", "Social jetlag"])
def test_what_is_one_number_a_person_is_compared_between_persons_only(open_page, pilot, measure):
    app = open_page("sleep", sleep_view="Sleep and the voice", sleep_measure=measure)
    assert "nothing to compare within persons" in app.info[0].value
    between, six = figures(app)
    assert "between persons" in between
    assert "Within persons" not in six
    (table,) = tables(app)
    assert max(table["Participants"]) <= 12


def test_models_are_fitted_once_for_the_same_data(open_page, pilot, monkeypatch):
    from heliograph.ui import sleep_models

    calls = []
    real = sleep_models.fit_six
    monkeypatch.setattr(sleep_models, "fit_six", lambda *a, **k: calls.append(a[1]) or real(*a, **k))
    app = open_page("sleep", sleep_view="Sleep and the voice")
    app.selectbox(key="sleep_biomarker").set_value("Stress").run()
    assert calls == ["sleep_h"]
    app.selectbox(key="sleep_measure").set_value("Hours awake at the recording").run()
    assert calls == ["sleep_h", "hours_awake"]
    assert "over Hours awake" in figures(app)[0]


def test_many_runs_are_fitted_after_a_press_only(open_page, pilot, monkeypatch):
    from heliograph.ui import sleep_models

    monkeypatch.setattr(sleep_models, "FIT_AT_ONCE_ROWS", 10)
    app = open_page("sleep", sleep_view="Sleep and the voice")
    assert len(figures(app)) == 2
    assert not tables(app)
    app.button(key="sleep_fit").click().run()
    assert len(figures(app)) == 3
    assert len(tables(app)) == 2


def test_two_people_get_figures_and_the_reason_why_there_is_no_estimate(open_page, store):
    for label in ("P-001", "P-002"):
        person = demo.add_participant(store, label)
        for day in range(1, 4):
            demo.add_session(store, person, datetime(2026, 3, day, 8 + day, 0), key=f"{label}{day}")
    app = open_page("sleep", sleep_view="Sleep and the voice")
    assert any("too few participants (2 of 5)" in caption.value for caption in app.caption)
    assert all("+" not in str(value) for value in tables(app)[0]["Per hour"])


def test_the_models_find_what_is_true_of_the_pilot(pilot):
    """An hour less sleep costs, in the simulated pilot, within persons: most for exhaustion and sleep propensity,
    nothing for self-esteem."""
    rows, _ = load_sleep_rows(pilot)
    table = fit_six(rows, "sleep_h", StudySettings(p_adjust="bh"), totals=(12, len(rows)))
    within = table[table["level"] == "within"].set_index("name")
    assert within.loc["exhaustion", "high"] < 0
    assert within.loc["sleep_propensity", "high"] < 0
    assert within.loc["low_self_esteem", "low"] < 0 < within.loc["low_self_esteem", "high"]
    assert (table["p_adjusted"] >= table["p"]).all()
    assert set(table["n_participants"]) == {12}


@pytest.mark.parametrize(
    ("values", "text"),
    [((0.42, 0.3, 0.53), "+0.42 [0.30, 0.53]"), ((-0.1, -0.2, 0.1), "−0.10 [−0.20, 0.10]"),
     ((0.5, float("nan"), float("nan")), "+0.50"), ((float("nan"),) * 3, "–")],
)  # fmt: skip
def test_estimates_are_written_with_their_intervals(values, text):
    assert format_interval(*values) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0004, "< 0.001"), (0.0133, "0.013"), (1.0, "1.000"), (float("nan"), "–")]
)
def test_p_values_are_written_short(p, text):
    assert format_p(p) == text
