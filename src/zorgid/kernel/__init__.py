"""What every room needs and no standard library gives: clock, ids, readable codes, errors, secrets.

Knows no other part of the house.
"""
