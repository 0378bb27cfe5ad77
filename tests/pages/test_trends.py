"""The trends page picks a participant by number, a range, and gives the data behind the figure."""

from __future__ import annotations

from datetime import datetime, timedelta

from heliograph.store import RunState
from tests.pages import demo


def figures(app):
    return app.get("plotly_chart")


def test_the_participant_of_the_address_is_drawn(open_page, store):
    demo.add_session(store, demo.add_participant(store, "P-001"), datetime.now(), key="a")
    second = demo.add_participant(store, "P-002")
    demo.add_session(store, second, datetime.now(), key="b")
    demo.add_session(store, demo.add_participant(store, "P-003"), datetime.now(), key="c")
    app = open_page("trends", participant=str(second))
    assert app.selectbox(key="trends_participant").value == second
    assert "Participant P-002" in str(figures(app)[0].proto)


def test_choosing_another_participant_changes_the_address_to_a_number(open_page, store):
    first = demo.add_participant(store, "P-001")
    second = demo.add_participant(store, "P-002")
    for person in (first, second):
        demo.add_session(store, person, datetime.now(), key=str(person))
    app = open_page("trends", participant=str(second))
    app.selectbox(key="trends_participant").set_value(first).run()
    assert not app.exception
    assert app.query_params["participant"] == str(first)
    assert "Participant P-001" in str(figures(app)[0].proto)


def test_a_range_without_sessions_says_when_the_newest_one_was(open_page, store):
    person = demo.add_participant(store, "P-001")
    demo.add_session(store, person, datetime(2020, 5, 4, 8, 0), key="a")
    app = open_page("trends", participant=str(person), trends_range="30 days")
    assert "04 May 2020, 08:00" in app.info[0].value
    assert not figures(app)


def test_a_range_shows_its_own_sessions_only(open_page, store):
    person = demo.add_participant(store, "P-001")
    for days in (1, 45, 75, 200):
        demo.add_session(store, person, datetime.now() - timedelta(days=days), key=str(days))
    for chosen, n in (("30 days", 1), ("60 days", 2), ("90 days", 3), ("All", 4)):
        app = open_page("trends", participant=str(person), trends_range=chosen)
        assert f"n = {n})" in str(figures(app)[0].proto)


def test_a_participant_without_runs_gets_no_empty_figure(open_page, store):
    app = open_page("trends", participant=str(demo.add_participant(store, "P-001")))
    assert "No runs yet" in app.info[0].value
    assert not figures(app)


def test_the_csv_is_named_by_number_and_runs_under_way_are_told(open_page, store):
    person = demo.add_participant(store, "P-001")
    demo.add_session(store, person, datetime.now(), key="a")
    demo.add_session(store, person, datetime.now(), key="b", state=RunState.RUNNING)
    app = open_page("trends", participant=str(person))
    assert any("1 more under way" in caption.value for caption in app.caption)
    assert "P-001" not in str(app.get("download_button")[0].proto.url)


def test_a_participant_that_is_not_there_leads_to_the_picker(open_page, store):
    person = demo.add_participant(store, "P-001")
    app = open_page("trends", participant="4711")
    assert app.selectbox(key="trends_participant").value == person


def test_a_label_with_markup_stays_text_in_the_picker_and_the_figure(open_page, store):
    person = demo.add_participant(store, demo.HOSTILE[:50])
    demo.add_session(store, person, datetime.now(), key="a")
    app = open_page("trends", participant=str(person))
    assert app.selectbox(key="trends_participant").options == [demo.HOSTILE[:50]]
    assert "<img" not in str(figures(app)[0].proto)


def test_levels_as_steps_are_kept_in_the_address(open_page, store):
    person = demo.add_participant(store, "P-001")
    demo.add_session(store, person, datetime.now(), key="a")
    app = open_page("trends", participant=str(person), trends_levels="true")
    assert app.toggle(key="trends_levels").value is True
    assert "highest" in str(figures(app)[0].proto)
