"""Measures the platform beside what its users could run instead, on one machine, as ratios.

What came of it stands in docs/performance.md.
"""
