"""Designs for telling lures from honest mail, compared on the same mails: `python -m bench.designs`."""
