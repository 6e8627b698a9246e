"""Commands of ``edge`` that run on boards."""
