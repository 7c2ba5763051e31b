"""The issuer: the cardholder's bank."""
