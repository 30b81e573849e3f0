"""What every package stands on: errors, typed fields, files, limits, devices, images, numbers as text, geometry."""
