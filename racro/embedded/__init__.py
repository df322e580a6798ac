"""The default that needs no GPU and no model hub."""
