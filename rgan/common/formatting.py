"""Numbers as sentences and tables show them: few digits, a true minus sign, and no minus before zero."""

from __future__ import annotations


def decimal(value: float, digits: int = 2) -> str:
    """ "−0.45"; zero has no sign."""
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def counted(count: int, word: str) -> str:
    """ "1 iteration", "2,000 iterations"."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def signed(value: float, digits: int = 2) -> str:
    """ "+0.31", "−0.45" or "0.00": a difference."""
    shown = decimal(value, digits)
    return f"+{shown}" if round(value, digits) > 0 else shown


def per_cent(share: float, digits: int = 1, *, sign: bool = False) -> str:
    """ "12.5 %" of 0.125."""
    return f"{(signed if sign else decimal)(100 * share, digits)} %"


def per_cent_range(low: float, high: float, digits: int = 1) -> str:
    """ "11.0 to 13.8 %" of 0.11 and 0.138."""
    return f"{decimal(100 * low, digits)} to {per_cent(high, digits)}"


def duration(seconds: float) -> str:
    """ "45 s", "12 min", "3 h 20 min", "2 days 5 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days {hours % 24} h"
