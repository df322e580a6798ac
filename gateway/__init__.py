"""The gateway: serves the dialects, runs the flow, caches visual contexts; it has no model."""
