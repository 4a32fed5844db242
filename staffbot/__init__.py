"""staffbot: a library's social space as a service point. The desk; it knows no chat platform's SDK."""

__version__ = "0.1.0"
