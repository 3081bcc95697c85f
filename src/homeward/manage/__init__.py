"""The models page: what is on this machine, what answers, and everything that the user can do about it.

Only the page, its API and the values that it shows; what a button does is behind `Manager`. Callers import the
modules:

    state      State, Catalogue and their parts: what the page shows, as values
    manager    Manager: what the page can ask for
    routes     model_routes: the page and its API over HTTP
"""
