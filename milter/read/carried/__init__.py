"""What attachments and images of a message say: text, links and the payloads of QR codes.

`reader` is the entrance, `kinds` tells formats apart, each format has a module of its own, and
`budget` bounds all of them together. Nothing here decides what is suspicious.
"""
