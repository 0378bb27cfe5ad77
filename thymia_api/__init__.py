"""Typed client for the part of the thymia API that serves Helios voice biomarkers."""
