"""The database's forms, one file a version; knows tables only, and no rule of the desk.

`env` runs them in one transaction; `versions` holds them; `__main__` is what the store starts.
"""
