"""Captioners trained with TRL: by supervised fine-tuning, and by Caption Reward Optimization.

`settings`, `base`, `data`, `run` and `preparation` import no torch: what is wrong with a
configuration is told before it is. `sft` and `cro` are the two methods, `loop` what they share.
"""
