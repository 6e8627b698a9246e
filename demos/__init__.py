"""Demos: short programs to read and to copy, each on one screen.

The task is made with the public API of ``edge``. What the commands share comes from
``edge.commands.options`` and ``edge.commands.stream_options``: the options, and the stream that they describe. A
program without a command line needs neither: ``edge.run(task, source, sinks)``.
"""
