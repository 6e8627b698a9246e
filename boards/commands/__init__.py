"""Commands ``edge boards``, ``doctor``, ``deploy``, ``rollback``, ``status`` and ``logs``."""
