"""The parts of Record that are plain markup: the steps on top and the lines of the review."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from heliograph.audio.quality import QualityRow, Verdict
from heliograph.ui.live_ring import SILENT_LINE_S
from heliograph.ui.review import make_quality_html
from heliograph.ui.steps import STEPS, make_steps_html


@pytest.mark.parametrize("step", STEPS)
def test_exactly_the_current_step_is_marked_for_screen_readers_and_earlier_ones_are_ticked(step):
    markup = make_steps_html(step)
    assert markup.count("aria-current=step") == 1
    assert f"</span><b>{step}</b>" in markup.split("aria-current=step")[1].split("</li>")[0]
    assert markup.count("✓") == STEPS.index(step)


def test_a_step_that_is_none_is_refused():
    with pytest.raises(ValueError, match="Coffee"):
        make_steps_html("Coffee")


def test_a_line_of_the_review_says_verdict_name_number_and_only_for_a_problem_the_advice():
    good = QualityRow("gaps", "Gaps", 0.0, "%", "0.0 %", Verdict.PASS, "Unneeded.")
    bad = QualityRow("speech", "Speech", 4.0, "s", "4.0 s", Verdict.FAIL, "Speak <longer>.")
    markup = make_quality_html([good, bad], "dark")
    assert "✓ Good" in markup
    assert "✕ Not usable" in markup
    assert "<b>Speech</b><span>4.0 s</span>" in markup
    assert "Unneeded" not in markup
    assert "Speak &lt;longer&gt;." in markup


def test_record_opens_on_its_first_step(open_page):
    app = open_page("record")
    assert any("aria-current=step><span>1</span><b>Participant" in entry.proto.body for entry in app.get("html"))


@pytest.mark.parametrize(
    ("age_s", "warned"),
    [(None, []), (SILENT_LINE_S - 1, []), (SILENT_LINE_S + 1, ["Nothing arrives at the server right now."])],
)
def test_silence_on_the_line_is_told_without_a_guess_at_its_cause(age_s, warned):
    """It may be the network or the microphone; the lossless recorder, which knows, says it itself."""

    def show(age_s):
        from heliograph.audio import CapturePhase, CaptureSnapshot
        from heliograph.ui.live_ring import show_live_ring

        show_live_ring(CaptureSnapshot(phase=CapturePhase.RECORDING, last_frame_age_s=age_s), with_level=False)

    app = AppTest.from_function(show, args=(age_s,)).run()
    assert [text.value.split(" What")[0] for text in app.warning] == warned
    assert "connection" not in str([text.value for text in app.warning])
