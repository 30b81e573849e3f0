"""RGAN Lab: what is the worst noise a generator can be given, and does robust training help?"""

__version__ = "0.1.0"
