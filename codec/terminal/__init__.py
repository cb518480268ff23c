"""What commands share: options, paths, progress, and what they say."""
