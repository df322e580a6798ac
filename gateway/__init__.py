"""The gateway: runs the flow, caches visual contexts, speaks the dialects. No model in it."""
