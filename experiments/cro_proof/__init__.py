"""The proof that CRO helps: docs/cro.md has the protocol, the commands and the results."""
