"""Sessions at work: who stands where, what the stations and terminals say, who performs what, what can be
seen."""
