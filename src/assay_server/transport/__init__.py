"""gRPC: the only floor that imports grpc."""
