"""Settings: where one is, whether the key works, how the worker does. Nothing secret is shown."""

import streamlit as st

from heliograph.ui.frame import show_header
from heliograph.ui.settings_panels import (
    show_connection,
    show_deletion_setting,
    show_key_help,
    show_store,
    show_versions,
    show_worker,
)

workspace = show_header("Settings")
left, right = st.columns(2, gap="large")
with left:
    show_connection(workspace)
    show_key_help()
    show_deletion_setting(workspace)
with right:
    show_worker(workspace)
    show_store(workspace)
    show_versions(workspace)
