"""The gRPC door: messages to values, values to messages, refusals to statuses."""
