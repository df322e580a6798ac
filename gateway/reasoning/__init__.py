"""Reasoners: their replicas, what fits into their context, and the tokens that they used."""
