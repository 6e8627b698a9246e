"""Write the .tflite files of a MobileNetV2 classifier from its weights, without TensorFlow.

They equal those of TensorFlow's converter: the same operations, versions and int8 weights. Only the
ranges of activations differ, where TensorFlow's are wider than what was measured.
"""
