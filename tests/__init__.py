"""The tests; a package of its own, so that none of the same name in the environment hides it."""
