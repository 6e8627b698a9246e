"""The stream: frames from a source through a task to sinks, in several threads."""
