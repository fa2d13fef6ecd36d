"""What `check` asks about language: text in, intents and entities with evidence out.

Knows no e-mail, no network and no policy. Never imports `milter`.
"""
