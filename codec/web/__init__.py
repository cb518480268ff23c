"""What a browser needs to show .aez files by itself: scripts, and bundles of weights."""
