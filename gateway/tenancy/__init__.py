"""Tenants and their limits: API keys, rates, admission."""
