"""One table. Keys and items here are the only place where names of the table are spelled."""
