"""The APIs that clients use: a module for each dialect."""
