"""Notifications of professional networks: which one a message has the form of, and what it says.

`platforms.toml` is the table of networks, `recognise` asks it, `persona` cleans names, `words`
finds the member's own words in the text, `signed` what the signatures cover. Refuses to say that a
notice is genuine: `check.engagement.contacts` does, when signatures are known.
"""
