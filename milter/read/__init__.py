"""What a message is: MIME tree, text by source, links, trusted results, places for a banner.

Pure: octets and facts in, values out. `message_reader.read_message` is the way in;
`integrity.verify` looks at an edited message once more.
"""
