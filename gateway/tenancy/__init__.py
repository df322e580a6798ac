"""Who may ask, and how much: API keys, rates, admission."""
