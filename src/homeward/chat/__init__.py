"""The page: Chainlit, with our own history, streaming, texts and look.

The only package that imports Chainlit, and late: importing it reads the environment and writes files, so
`app_root.prepare` must come first. What we change inside Chainlit stands in `overrides`, nowhere else.
"""
