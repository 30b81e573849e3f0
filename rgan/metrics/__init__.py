"""Who looks at images: the independent judge, and scores (IS, FID, KID) on its features or Inception's."""
