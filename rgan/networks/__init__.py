"""Networks of the GAN systems, one file a family."""
