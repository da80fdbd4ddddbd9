"""The door to bytes: disk, S3, GCS, each behind the same port."""
