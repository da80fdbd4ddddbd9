"""What can be told of a live model without asking: how to store it, its interface, its needs."""
