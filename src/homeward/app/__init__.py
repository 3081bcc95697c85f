"""Composition and life of the program: the only package that names concrete classes of all the others."""
