"""EXIF, XMP, ICC profiles and resolution: kept, changed byte by byte, or taken out."""
