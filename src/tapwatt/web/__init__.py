"""The platform's web side: API and console. Reads through the platform's views, acts through its engine."""
