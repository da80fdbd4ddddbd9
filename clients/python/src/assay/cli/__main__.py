"""Lets ``python -m assay.cli`` stand for the console script."""

from assay.cli import main

main()
