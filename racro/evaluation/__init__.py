"""Benchmarks against a running gateway: how right it is, and whether one run beats another.

One pass over the problems gives the paper's ablations (arXiv 2506.04559): the joint answer, the
answer from the caption only, and the captioner's tentative response alone.
"""
