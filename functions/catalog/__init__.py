"""Catalog: the plans that are on sale."""
