"""Runs models: by a supervised child process with an OpenAI-compatible server, or behind a URL.

Nothing is imported here: the child processes start from modules of this package.
"""
