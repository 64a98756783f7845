"""The virtual workplace: a reader, a tray of test cards and the Desktop App's steps, as pages in a browser.

A stand-in for a computer with a card reader, for demo and acceptance; production refuses it by name. It runs
the app's own flow with virtual cards, each desk in a thread of this process.
"""
