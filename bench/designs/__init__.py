"""Designs for telling lures from honest mail, compared on the same folds: `python -m bench.designs`."""
