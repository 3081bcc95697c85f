"""Which models are on this machine, what they are, and whether they are whole.

Nothing here runs a model. What reads files blocks: whoever must not wait calls it in a thread. Callers import the
modules:

    model      Model: a model as a value
    shelf      Shelf: the models of this machine, in one file that several processes share
    inspect    inspect: what lies at a path, as a Model, or a sentence that says why it cannot be used
    verify     verify: what is wrong with a model's files; make_manifest: their hashes
    library    Library: all models that this machine can answer with, and the one that does
    catalogue  Catalogue: what can be downloaded
    downloads  Downloads: those under way
    errors     what goes wrong in here
"""
