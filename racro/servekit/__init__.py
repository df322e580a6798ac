"""What every service shares: settings, the app and the way into it, HTTP clients and streams."""
