"""The eyes: metrics, mail log, health. Numbers and closed words only, never content.

- `metrics`: every metric of a front in one table, with bounded labels.
- `exposition`: samples of many fronts merged and written in Prometheus' text format.
- `maillog`: a closed set of events as JSON lines.
- `health`: live, ready, and why not.
- `place`: where an exception came from, without its text.
"""
