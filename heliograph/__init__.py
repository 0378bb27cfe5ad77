"""Heliograph: an interactive research dashboard for voice biomarkers."""
