"""Intents by rules: word lists per language name concepts, one grammar combines them.

`terms` reads the lists into tries, `concepts` finds concepts in a text, `grammar` holds the rules
(`lexicon/intents/grammar.toml`), `decide` settles what the message as a whole says. The grammar
knows no language, the lists know no label: a language is as good as its list.
"""
