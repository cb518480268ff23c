"""An edge server: one file in the cache, two resolutions on the wire."""
