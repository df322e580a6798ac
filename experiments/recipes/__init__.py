"""How the two small models of the embedded default are made."""
