"""``edge doctor``: diagnose a board and suggest fixes.

=================  ===========================================================
``system``         access to the machine: files, commands with time limits
``finding``        the result of a check
``diagnosis``      the table of checks, running them, text output
``probes``         code that runs in a separate process, since it may crash
``remote``         the doctor on another machine
the rest           one module of checks per subject
=================  ===========================================================
"""
