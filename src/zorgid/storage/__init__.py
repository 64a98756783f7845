"""Where everything is kept: the pool, transactions, notifications, migrations and the embedded PostgreSQL.

Knows no table and no rule: each room owns its tables and its SQL. What is here is the way to the database.
"""
