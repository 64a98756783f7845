"""Stock: every blank card by number, chip serial and kind, from the box to its making (CARD-10, SHOP-3).

Which kind a card is of is known from here and never taken from the Desktop App. What is made of a blank card
is `cards`'s.
"""
