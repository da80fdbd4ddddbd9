"""Between the wire and the domain: times, enums and update masks, the same for every noun."""
