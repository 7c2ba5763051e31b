"""The acquirer: the merchant's bank."""
