"""Frames of HTTP/2 that a peer may or may not send, and what the RFCs want of their receiver.

The cases are written from RFC 9113, RFC 7541 and RFC 9218. ``python -m`` this package for a table.
"""
