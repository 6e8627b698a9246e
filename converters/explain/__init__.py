"""Explanation of classifiers on the workstation: folders of maps, Keras models, data sets."""
