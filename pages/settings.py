"""Settings: where one is, whether the key works, how the worker does, what analysis rests on. Nothing secret."""

import streamlit as st

from heliograph.ui.frame import show_header
from heliograph.ui.settings_panels import (
    show_connection,
    show_deletion_setting,
    show_key_help,
    show_recorder_setting,
    show_store,
    show_versions,
    show_worker,
)
from heliograph.ui.study_settings import show_study_settings

workspace = show_header("Settings")
left, right = st.columns(2, gap="large")
with left:
    show_connection(workspace)
    show_key_help()
    show_recorder_setting(workspace)
    show_deletion_setting(workspace)
    show_study_settings(workspace)
with right:
    show_worker(workspace)
    show_store(workspace)
    show_versions(workspace)
