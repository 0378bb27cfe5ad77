"""The result of one run: six biomarkers with value, bar and level in words. The face of the product."""

from __future__ import annotations

import html

import streamlit as st

from heliograph.charts import BIOMARKER_COLOURS, Mode
from heliograph.store import RunDetail, RunState, Section
from heliograph.ui import messages
from heliograph.ui.formats import format_local, format_seconds
from heliograph.ui.frame import show_disclaimer
from heliograph.ui.markup import escape
from heliograph.ui.theme import get_mode
from thymia_api import BIOMARKERS, Biomarker

__all__ = ["make_scores_html", "show_result_card", "show_run_outcome"]

CARD_PX = 1040
# Names, bars and numbers share one grid; on a phone the bar goes under its name.
STYLE = """
<style>
.hg-scores { display: grid;
  grid-template-columns: minmax(11rem, 19rem) minmax(8rem, 1fr) 3.2rem 6.5rem;
  column-gap: 1rem; row-gap: .85rem; align-items: center; line-height: 1.25; }
.hg-name { font-weight: 600; }
.hg-reads, .hg-level { font-size: .85rem; opacity: .72; }
.hg-reads { font-weight: 400; display: block; }
.hg-main .hg-name { font-size: 1.15rem; }
.hg-value { font-variant-numeric: tabular-nums; font-weight: 600; text-align: right; }
.hg-main .hg-value { font-size: 1.35rem; }
.hg-track { position: relative; height: 8px; border-radius: 4px; overflow: hidden; }
.hg-track::before { content: ""; position: absolute; inset: 0; background: currentColor; opacity: .13; }
.hg-fill { position: relative; height: 100%; border-radius: 4px; }
.hg-main .hg-track { height: 12px; border-radius: 6px; }
.hg-row { display: contents; }
@media (max-width: 640px) {
  .hg-scores { grid-template-columns: 1fr auto; row-gap: .35rem; }
  .hg-bar { grid-column: 1 / -1; grid-row-start: auto; order: 0; }
  .hg-level { grid-column: 1 / -1; margin-bottom: .7rem; }
  .hg-name { grid-column: 1; }
  .hg-row { display: grid; grid-column: 1 / -1; grid-template-columns: 1fr auto; row-gap: .3rem; }
  .hg-row .hg-value { grid-column: 2; grid-row: 1; }
}
</style>
"""


def show_result_card(detail: RunDetail) -> None:
    """Draw the result of a run that is `complete_ok`: every section with its scores, warnings first."""
    run = detail.run
    with st.container(border=True, key=f"result_card_{run.id}", width=CARD_PX):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"#### Result of {format_local(run.session_local)}", width="content", anchors=False)
            if run.synthetic:
                st.badge(messages.SYNTHETIC_BADGE, icon=":material/science:", color="orange")
        _show_warnings(run.warnings)
        for section in detail.sections:
            if len(detail.sections) > 1:
                st.markdown(f"**{format_seconds(section.start_s)} to {format_seconds(section.finish_s)}**")
            st.html(make_scores_html(section, get_mode()))
        st.caption(f"{messages.HIGHER_IS_WORSE} {messages.LEVEL_WORDS}")
        show_disclaimer()


def show_run_outcome(detail: RunDetail) -> None:
    """Draw how a run ended: its result card, or what went wrong and what to do; nothing while it is under way."""
    if detail.run.state == RunState.COMPLETE_OK and detail.sections:
        show_result_card(detail)
    elif detail.run.state == RunState.COMPLETE_OK:
        st.info(messages.RESULT_GONE if detail.run.purged_utc else messages.RESULT_EMPTY)
    elif problem := messages.describe_run_problem(detail.run):
        st.error(f"**{problem.what}**  \n{problem.action}", icon=":material/error:")


def make_scores_html(section: Section, mode: Mode) -> str:
    """The six rows of a section as HTML. It holds numbers and our own words only, no text from outside."""
    rows = "".join(_make_row(biomarker, section, mode) for biomarker in BIOMARKERS)
    return f'{STYLE}<div class="hg-scores" role="list">{rows}</div>'


def _make_row(biomarker: Biomarker, section: Section, mode: Mode) -> str:
    value: float | None = getattr(section, biomarker.continuous)
    level: float | None = getattr(section, biomarker.bucketed) if biomarker.bucketed else None
    title, reads = html.escape(biomarker.title), html.escape(biomarker.reads)
    shown = "–" if value is None else f"{value:.2f}"
    words = "" if level is None else f"{messages.describe_level(level)} level"
    colour = BIOMARKER_COLOURS[mode][biomarker.name]
    width = 0.0 if value is None else 100 * min(1.0, max(0.0, value))
    return (
        f'<div class="hg-row{" hg-main" if biomarker.bucketed is None else ""}" role="listitem"'
        f' aria-label="{title}: {shown} of 1{", " + words if words else ""}">'
        f'<div class="hg-name">{title}<span class="hg-reads">{reads}</span></div>'
        f'<div class="hg-bar"><div class="hg-track">'
        f'<div class="hg-fill" style="width:{width:.1f}%;background:{colour}"></div></div></div>'
        f'<div class="hg-value">{shown}</div><div class="hg-level">{html.escape(words)}</div></div>'
    )


def _show_warnings(warnings: tuple[str, ...]) -> None:
    if not warnings:
        return
    lines = "\n".join(f"- {escape(text)}" for text in warnings)
    st.warning(f"**Treat this result with caution.** thymia warns:\n{lines}", icon=":material/warning:")
