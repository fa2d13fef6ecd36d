"""Findings to verdict, verdict and policy to disposition. Pure.

- `weights`: the table of weights (data) and its checks.
- `scoring`: findings to score, label, verdict.
- `policy`: verdict and recipients to dispositions, by an ordered table.
- `explain`: the reasons in words.
"""
