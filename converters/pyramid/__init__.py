"""Networks with a head on several layers of a pretrained trunk, and their training.

Such a pyramid of layers (Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017)
is what detectors and segmenters have in common. What a network learns is an
:class:`converters.pyramid.objective.Objective`, which each task has its own of.
"""
