"""DKIM, ARC, SPF and DMARC over the octets of a message and the answers of the DNS: pure."""
