"""Markets: what a country's law and custom say about prices, as dated data, and a linter of tariffs on it."""
