"""The commands ``edge boards``, ``edge doctor`` and ``edge deploy`` with its relatives."""
