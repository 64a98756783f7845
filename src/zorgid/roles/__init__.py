"""Roles: who may do what, as one table of rights, and the grants that give a person a role (ROLE-6).

Whether a card is linked or who set a hold is not looked up here: the room that asks hands in those facts.
"""
