"""Every code, reason, state and error has words that say what to do, and no words carry a secret."""

from __future__ import annotations

import pytest

import thymia_api
from heliograph.runs import FieldIssue, InvalidSubmissionError, PauseReason, RunsError, RunStateError
from heliograph.store import FailureReason, RecordingSource, RunState, StoreError, WorkerState, WorkerStatus
from heliograph.ui import messages
from heliograph.ui.markup import escape
from heliograph.ui.raw_answers import mask_body
from thymia_api import BUCKET_LEVELS, ErrorCode, ThymiaError

SECRET = "s3cret"
UNEXPECTED = messages.describe_problem(RuntimeError("x"))


def make_status(**changes: object) -> WorkerStatus:
    fields = dict.fromkeys(WorkerStatus.__dataclass_fields__) | {"state": WorkerState.WORKING}
    return WorkerStatus(**(fields | changes))


def subclasses(root: type[Exception]) -> list[type[Exception]]:
    found = [root]
    for kind in root.__subclasses__():
        found += subclasses(kind)
    return found


@pytest.mark.parametrize("code", ErrorCode)
def test_every_error_code_says_what_happened_and_what_to_do(code):
    assert code in messages.ERROR_CODES
    advice = messages.describe_error_code(code)
    assert advice.what.endswith(".")
    assert advice.action.endswith(".")


def test_a_new_error_code_still_gets_an_action():
    assert "Retry as a new run" in messages.describe_error_code("ERR_NEW").action
    assert messages.describe_error_code(None).action


@pytest.mark.parametrize("reason", FailureReason)
def test_every_failure_reason_says_what_to_do(reason):
    assert reason in messages.FAILURES
    assert messages.describe_failure(reason).action.endswith(".")


@pytest.mark.parametrize("state", RunState)
def test_every_state_has_a_name_of_its_own(state):
    assert state in messages.STATES
    names = [words.name for words in messages.STATES.values()]
    assert names.count(messages.describe_state(state).name) == 1


def test_every_source_level_and_worker_state_has_words():
    assert all(messages.describe_source(source) != source for source in RecordingSource)
    assert [messages.describe_level(level) for level in BUCKET_LEVELS] == ["lowest", "lower", "higher", "highest"]
    assert set(WorkerState) == set(messages.WORKER_STATES)


@pytest.mark.parametrize("reason", PauseReason)
def test_every_pause_of_the_worker_is_severe_and_says_what_to_do(reason):
    assert reason in messages.PAUSES
    notice = messages.worker_notice(make_status(state=WorkerState.PAUSED, reason=reason))
    assert notice is not None
    assert notice.severe
    assert "restart the server" in notice.text


def test_an_unreachable_api_is_a_mild_notice_and_a_well_worker_is_none():
    notice = messages.worker_notice(make_status(api_problem="x", api_problem_since_utc="2026-03-02T07:00:00.000Z"))
    assert notice is not None
    assert not notice.severe
    assert "07:00 UTC" in notice.text
    assert messages.worker_notice(make_status()) is None


@pytest.mark.parametrize("kind", [*subclasses(ThymiaError), *subclasses(StoreError), *subclasses(RunsError)])
def test_every_exception_of_ours_has_advice_and_never_its_own_text(kind):
    error = kind.__new__(kind)
    error.args = (f"{SECRET} https://host/x?signature={SECRET}",)
    known = {"status": 500, "issues": (), "path": None, "run_id": 3, "state": "running", "sent": None}
    error.__dict__.update(known)
    advice = messages.describe_problem(error)
    assert advice != UNEXPECTED
    assert advice.what
    assert advice.action
    if kind is not thymia_api.InvalidInputError:  # Its text is made of field names and limits, for people.
        assert SECRET not in advice.text


def test_an_invalid_submission_names_each_field_in_words():
    text = messages.describe_problem(InvalidSubmissionError([FieldIssue("awake_local", "must be later")])).text
    assert "awake local" in text.replace("\\", "")
    assert "must be later" in text


def test_a_state_that_forbids_something_is_named_in_words():
    assert "Being analysed" in messages.describe_problem(RunStateError(3, "running", "x")).text


@pytest.mark.parametrize(
    "text",
    ["plain", "a_b*c", "<b>x</b>", "[l](https://e.test)", "https://e.test", "www.e.test",
     "a@b.test", ":smile:", ":red[x]", "$x$",
     "# h", "- l", "a\nb", "1. x", "a -> b", "`c`", "~~d~~", "|t|"]
)  # fmt: skip
def test_escaped_text_keeps_its_characters_and_loses_its_meaning(text):
    escaped = escape(text)
    assert escaped.replace("\\", "").replace("\u2060", "") == text.replace("\n", " ")
    for live in ("https:/", "www.", "@b", "->", ":s", ":r"):
        assert live not in escaped


def test_right_to_left_text_is_isolated_and_overrides_are_dropped():
    assert escape("שלום") == "\u2068שלום\u2069"
    assert "\u202e" not in escape("a\u202eb")


def test_signatures_are_hidden_in_raw_answers_whatever_their_shape():
    assert mask_body('{"recordingUploadUrl": "https://s.test/p?sig=s3cret"}') == {
        "recordingUploadUrl": "https://s.test/p?(signature hidden)"
    }
    assert SECRET not in str(mask_body('{"a": [{"b": "x https://s.test/p?sig=s3cret y"}]}'))
    assert SECRET not in mask_body('broken {"u": "https://s.test/p?sig=s3cret"')
    assert mask_body('{"activityLink": "https://t.test/a?t=1"}') == {"activityLink": "https://t.test/a?t=1"}
