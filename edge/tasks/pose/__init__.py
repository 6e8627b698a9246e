"""Pose estimation: keypoints of people, joint angles, and counts of exercises."""
