"""The page toolkit: layout, style, how money and energy are written, server-sent events. Knows nobody's
data."""
