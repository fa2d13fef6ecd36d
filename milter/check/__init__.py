"""Questions about a message; each check answers with findings and never with a weight.

- `runner`: runs checks under one deadline; an exception or a timeout becomes a failed outcome.
- `skeleton`: the check to copy.
- `identity`: what the addresses in the header say (and authentication of them).
- `engagement`: what memory knows of sender and recipients.
- `language`: what the text says, asked of `nlp` (runs in a reader).
"""
