"""Self-report: ratings and questionnaires beside the biomarkers, agreement of two of them, and the import."""

from heliograph.ui.frame import show_disclaimer, show_header
from heliograph.ui.self_report_agreement import show_agreement
from heliograph.ui.self_report_import import show_questionnaires
from heliograph.ui.self_report_scales import show_same_scale
from heliograph.ui.self_report_views import AGREEMENT, QUESTIONNAIRES, choose_view

workspace = show_header("Self-report")
view = choose_view()
if view == AGREEMENT:
    show_agreement(workspace)
elif view == QUESTIONNAIRES:
    show_questionnaires(workspace)
else:
    show_same_scale(workspace)
show_disclaimer()
