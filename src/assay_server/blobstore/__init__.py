"""Bytes: disk and buckets."""
