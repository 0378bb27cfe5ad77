"""Every page of an empty workspace says what to do first and shows no error."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("page", ["overview", "runs", "trends", "settings"])
def test_every_page_opens_cold_and_says_which_workspace_it_is_and_that_scores_are_synthetic(open_page, page):
    app = open_page(page)
    assert app.title[0].value == page.capitalize()
    assert any("synthetic and means nothing" in warning.value for warning in app.warning)
    assert not app.error


def test_the_overview_gives_the_first_steps_and_a_way_to_begin(open_page):
    app = open_page("overview")
    assert "four steps" in app.subheader[0].value
    assert app.button(key="overview_record").label == "Record the first session"
    assert not app.metric


def test_trends_and_runs_lead_to_recording(open_page):
    assert open_page("trends").button(key="trends_record")
    assert open_page("runs").button(key="runs_record")


def test_a_run_that_is_not_there_is_said_to_be_gone(open_page):
    app = open_page("runs", run="99")
    assert "no run 99" in app.info[0].value
    assert app.button(key="runs_back")


@pytest.mark.parametrize("text", ["0", "-1", "abc", "1e3", "9" * 30, "٣", "1;DROP TABLE runs", "", "<b>"])
def test_nonsense_in_the_address_shows_the_list_or_the_picker(open_page, text):
    assert not open_page("runs", run=text, before=text, participant=text).error
    assert not open_page("trends", participant=text).error


def test_settings_show_no_key_and_count_nothing(open_page):
    app = open_page("settings")
    values = [value for table in app.table for value in table.value["value"]]
    assert "not needed in the sandbox" in values
    assert "0" in values
