"""Demos: short programs to read and to copy, each on one screen.

A demo opens a task with the public API of ``edge``. Its options and the stream that they describe
come from ``edge.commands.options`` and ``edge.commands.stream_options``, which all demos share; a
program without a command line needs neither: ``edge.run(task, source, sinks)``.
"""
