"""A small reader of text in context: the lower layers of a public sentence model, by our own arithmetic.

`weights` finds and reads the file, `pieces` cuts text into what the model knows, `layers` lets the
pieces read each other and gives the mean of what they become. Nothing here knows what a lure is:
that is learnt on top (`nlp.model.context`).
"""
