"""People: who somebody is, whichever UZI card is in the reader, and which kind of means is reserved for them.

Recognises a person by UZI number, keeps old numbers and names as history, compares the typed birth date, and
holds the one rule that spans the house: one person, one kind of means (CARD-4, ROLE-4).
"""
