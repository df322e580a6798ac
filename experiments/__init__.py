"""What makes or judges models. No service imports it, and it is not in the wheel."""
