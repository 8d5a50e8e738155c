"""What happens inside a case: how it begins, each step by the table, its clocks, consents, joint units, visits.

`hub/cases.py` is the door to it; what is here works inside a transaction that its caller opened, the case locked.
"""
