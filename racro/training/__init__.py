"""Captioners trained with TRL: by supervised fine-tuning, and by Caption Reward Optimization.

What stands in `settings`, `base`, `problems` and `run` needs no torch, so that a wrong configuration
is refused within a second; everything else imports it.
"""
