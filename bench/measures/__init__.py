"""One module for each measure; each prints what it found and keeps it for the page."""
