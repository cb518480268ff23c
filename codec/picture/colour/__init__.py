"""What samples mean: profiles, colours that are said in other ways, more than 8 bits."""
