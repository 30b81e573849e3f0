"""The laboratory: GANs of points in the plane, where noise, ball, image and worst noise can all be seen."""
