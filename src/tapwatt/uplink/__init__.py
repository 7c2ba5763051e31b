"""The wire between an edge agent and the platform: terminals, cards and their money operations."""
