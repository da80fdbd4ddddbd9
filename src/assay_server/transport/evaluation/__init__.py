"""EvaluationService, a file per noun."""
