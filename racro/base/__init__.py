"""The ground floor: small things that every package may import, and that import nothing of ours."""
