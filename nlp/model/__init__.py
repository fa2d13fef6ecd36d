"""The trained half of the language work: features, the linear models, what reads
in context, and the data that ships.

The rules (`nlp.intents`) say what they were told; this says what the corpus taught. Both give
findings of their own, and neither decides alone.
"""
