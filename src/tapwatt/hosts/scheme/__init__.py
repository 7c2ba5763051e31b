"""The scheme: the card network between acquirers and issuers."""
