"""Algorithm 1 (`algorithm1.py`), the loop around it, and runs with their queue."""
