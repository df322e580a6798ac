"""Hostile pictures, made of bytes: what they declare, and what they unpack to, is far more."""
