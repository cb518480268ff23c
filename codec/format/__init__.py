"""The bytes of a file. Nothing here knows of networks, and of Pillow no more than that it has libwebp inside."""
