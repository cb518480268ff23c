"""aez beside JPEG and other codecs, on the user's own pictures."""
