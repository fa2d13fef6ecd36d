"""Killable processes that touch hostile content, and the pool that feeds them.

- `frames`: what crosses the process border: length-prefixed msgpack, checked against the types.
- `confine`: the kernel's limits and ties: memory, CPU, files, privileges, death of the parent.
- `zygote`: the template process that imports and warms everything once, then forks readers.
- `reader`: the loop in a forked reader: one message in, one reading out.
- `template`, `connection`, `pool`: the front's side: fork, ask, kill, replace, try again.
"""
