"""Fault injection: the program is killed and the chat misbehaves; a witness of its own counts.

`python -m tests.faults` runs them by themselves; test_faults.py runs them smaller under pytest.
"""
