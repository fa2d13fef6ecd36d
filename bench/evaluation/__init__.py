"""The parts of the report that `make evaluate` writes; each gives lines of Markdown."""
