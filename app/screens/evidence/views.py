"""The views of the Evidence screen, redrawn while what they show is computed."""

from __future__ import annotations

from components.progress import bar
from screens.evidence.along import curves, minimal_radius
from screens.evidence.at_one import checks, control, shell, transfer
from screens.evidence.report_view import report
from screens.evidence.works import CHECKS, CONTROL, CURVES, MINIMAL_RADIUS, REPORT, SHELL, TRANSFER, Asked, Found
from session.waiting import redrawn, settled, value

from rgan.common.formatting import per_cent


def show(view: str, asked: Asked, found: Found) -> None:
    """Draw one of the views, and redraw it until all it waits for has come.

    Raises:
        RganError: what it needs cannot be computed.
    """
    pending = any(not task.done for task in found.values())
    for task in found.values():
        if task.done:
            value(task)

    def draw() -> None:
        if pending:
            done = sum(1.0 if task.done else task.share for task in found.values()) / len(found)
            bar(done, f"{view}: {per_cent(done, 0)}")
        DRAWN[view](asked, found)

    redrawn(draw, waiting=pending, over=lambda: settled(found))


DRAWN = {
    CONTROL: control,
    CURVES: curves,
    MINIMAL_RADIUS: minimal_radius,
    SHELL: shell,
    TRANSFER: transfer,
    CHECKS: checks,
    REPORT: report,
}
