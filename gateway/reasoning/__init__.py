"""Reasoners: their replicas, and what fits into their context."""
