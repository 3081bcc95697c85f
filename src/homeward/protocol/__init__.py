"""The words that all packages share: messages, chunks, places, receipts, the stream codec and the error tree.

Values only: nothing in here opens a connection, reads a file or knows who uses it.
"""
