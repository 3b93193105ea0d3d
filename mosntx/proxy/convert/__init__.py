"""Requests whose upstream speaks another protocol than their client: one file for each pair."""
