"""How the embedded reasoner's adapter is made: lessons, training, export.

Run: make embedded-reasoner
"""
