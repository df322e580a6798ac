"""The playground: a page at `/` that shows what the reasoner is told about a picture.

Its files stand beside this one and are served as they are. `files` reads them, `routes` serves
them.
"""
