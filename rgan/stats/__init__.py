"""Intervals, comparisons and two-sample tests."""
