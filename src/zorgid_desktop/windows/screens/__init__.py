"""One module for each kind of question or message; `screen_for` picks the screen that draws one."""
