"""The parts of the spaCy pipeline, one file each; importing a file registers its factory.

A document is the masked text of a message. `user_data["sections"]` says which stretch is subject,
body, signature or carried text; `user_data["languages"]` which word lists to use.
"""
