"""``edge doctor``: what on a board keeps models from running, with the command that mends it.

=================  =================================================================================
``system``         the machine as the checks see it: files below a root, commands, probes
``commands``       running commands, and ending them all at once
``finding``        what a check says
``examination``    the table of checks, and running them
``probes``         what is imported or run in a process of its own, as it may take that down
the rest           one file of checks for each subject
=================  =================================================================================
"""
