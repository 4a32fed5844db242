"""One file a network: each reads what patrons wrote there. Knows settings, model and errors only."""
