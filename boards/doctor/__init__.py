"""``edge doctor``: diagnose a board and suggest fixes.

=================  ===========================================================
``system``         access to the machine: files, commands, probes
``subprocesses``   running commands with time limits, killing them all at once
``finding``        the result of a check
``diagnosis``      the table of checks, and running them
``probes``         code that runs in a separate process, since it may crash
``render``         text output
``remote``         the doctor on another machine
the rest           one module of checks per subject
=================  ===========================================================
"""
