"""Screens drawn from a seed, and how many of their words a caption keeps.

Nothing of them is taken from a real screen; words and layouts are made of lists and chance.
"""
