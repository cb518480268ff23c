"""Conversion of whole trees of files, by processes or a cluster, that can be interrupted and continued."""
