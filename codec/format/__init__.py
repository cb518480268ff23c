"""The bytes of a file; nothing here knows of Pillow or of networks."""
