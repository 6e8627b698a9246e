"""Evaluation of any model file on labeled images: what ``edge evaluate`` measures.

The stages know a task by :class:`converters.evaluation.evaluation_task.EvaluationTask` only;
:mod:`converters.evaluation.tasks` lists the tasks there are.
"""
