"""The web pages: rendered on the server, whole without a script, in the visitor's language."""
