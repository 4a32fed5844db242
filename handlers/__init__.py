"""The doors: each translates one chat platform and decides nothing."""
