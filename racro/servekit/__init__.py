"""What every service shares: settings, the app and its middleware, HTTP clients and streams."""
