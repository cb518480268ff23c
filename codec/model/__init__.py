"""Models: where they are, and how they run."""
