"""The few rules of CSS that Streamlit has no option for: page margins, faint captions, the recorder on a phone.

All of it hangs on test ids and on our own keys (`st-key-…`). Where an id goes with a newer Streamlit, a rule stops
working and the page looks plainer; nothing else depends on it.
"""

from __future__ import annotations

import streamlit as st

from heliograph.charts import BACKGROUNDS, INK
from heliograph.ui.theme import get_mode

__all__ = ["show_style"]

STYLE = """
<style>
[data-testid="stMainBlockContainer"] { padding: 4.5rem 3.5rem 3rem; max-width: 1400px; }
[data-testid="stCaptionContainer"] { color: inherit; opacity: .8; }
[data-testid="stButtonGroup"] button:not(:disabled), [data-testid="stButtonGroup"] button:not(:disabled) p {
  color: VAR_INK !important; }
.st-key-frame_banner [data-testid="stAlertContainer"] { padding: .45rem .8rem; }
[data-testid="stColumn"]:has(.st-key-record_booth) { position: sticky; top: 4.5rem; align-self: flex-start;
  background: VAR_PAGE; scroll-margin-top: 4rem; }
.st-key-record_booth:has(.st-key-record_live) > [data-testid="stElementContainer"]:has(iframe) { order: 9; }
/* Stop is the button of that moment; the microphone's own switch steps back. */
.st-key-record_booth:has(.st-key-record_live) iframe { filter: grayscale(1); }
/* The ring stands still while its server can't be reached; after Stop its advice is out of date. */
html[data-heliograph-recorder="out"] .st-key-record_live { opacity: .35; }
html[data-heliograph-recorder="sending"] .st-key-record_live { visibility: hidden; }
/* What is drawn anew takes the old one's place at once; fading out in between would be a flicker. */
.st-key-trends_body [data-stale="true"] { opacity: 1 !important; }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 3.75rem 1rem 2rem; }
  [data-testid="stColumn"]:has(.st-key-record_booth) { order: -1; position: static; }
  [data-testid="stColumn"]:has(.st-key-record_live) { position: sticky; top: 3.5rem; z-index: 9; padding: .5rem 0;
    border-bottom: 1px solid rgba(128, 128, 128, .35); }
  [data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"]) { gap: 1rem; }
  [class*="st-key-overview_attention_"] [data-testid="stLayoutWrapper"]:has(> [data-testid="stVerticalBlock"]),
  [class*="st-key-overview_drift_"] [data-testid="stLayoutWrapper"]:has(> [data-testid="stVerticalBlock"]) {
    flex-basis: 100% !important; }
  .st-key-overview_tiles { gap: .5rem; }
  .st-key-overview_tiles > div { flex: 0 1 calc(50% - .25rem) !important;
    width: calc(50% - .25rem) !important; min-width: 0 !important; }
  .st-key-overview_tiles [data-testid="stMetric"] { width: 100% !important; }
  .st-key-overview_tiles [data-testid="stMetric"] > div { padding: .5rem .8rem; }
  .st-key-overview_tiles [data-testid="stMetricValue"] { font-size: 1.5rem; }
}
</style>
"""


def show_style() -> None:
    """Put the rules into the page; they take no room."""
    mode = get_mode()
    st.html(STYLE.replace("VAR_PAGE", BACKGROUNDS[mode]).replace("VAR_INK", INK[mode]))
