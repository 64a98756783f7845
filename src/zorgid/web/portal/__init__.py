"""The portal: where people see and manage Smartcards; a relying party of the identity server."""
