"""Images a page is about: those of the set, and those a person brings."""
