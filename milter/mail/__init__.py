"""The vocabulary of the gateway: frozen values and the pure functions that build them.

Imports only the standard library. Everything two verbs share is a value in here.
"""
