"""Tapwatt lets any EV charger take a card."""
