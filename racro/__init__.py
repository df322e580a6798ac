"""RACRO, served: eyes for text-only reasoners (perceptual decoupling, arXiv 2506.04559)."""

__version__ = "0.2.0"
