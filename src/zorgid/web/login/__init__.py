"""The pages of a login: begin, wait, complete; and the two acts that begin with a proof and no session."""
