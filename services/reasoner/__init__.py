"""The reasoner service: chats, responses and messages over one engine. It never sees an image."""
