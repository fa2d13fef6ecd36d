"""Measuring: benchmark against the peers, soak, cost of the parts. Not in the wheel, not in tests."""
