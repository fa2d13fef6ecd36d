"""Fronts: where mail comes in. `listener` starts, drains and stops them."""
