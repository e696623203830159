"""The frame of a drawing: how large it is, where its axes lie, and what is written along them."""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.report.html import Html, element
from recsys.report.scale import Scale


@dataclass(frozen=True)
class Frame:
    """A drawing of `width` x `height` units with room for what is written beside the axes.

    >>> Frame(100, 80, left=20, bottom=10).up(1.0)(0.5)
    41.0
    """

    width: int = 360
    height: int = 280
    left: int = 46
    right: int = 10
    top: int = 12
    bottom: int = 40

    @property
    def end(self) -> int:
        """Where the horizontal axis ends."""
        return self.width - self.right

    @property
    def floor(self) -> int:
        """Where the vertical axis starts."""
        return self.height - self.bottom

    def across(self, low: float, high: float) -> Scale:
        """Return the horizontal axis."""
        return Scale(low, high, self.left, self.end)

    def up(self, high: float, low: float = 0) -> Scale:
        """Return the vertical axis."""
        return Scale(low, high, self.floor, self.top)

    def level(self, y: float, text: str) -> Html:
        """Return one line from left to right, with its number."""
        at = f"{y:.1f}"
        line = element("line", x1=self.left, x2=self.end, y1=at, y2=at, class_="grid")
        return element("g", line, element("text", text, x=self.left - 6, y=f"{y + 3.5:.1f}", class_="end"))

    def upright(self, x: float, text: str) -> Html:
        """Return one line from the floor to the top, with its number."""
        at = f"{x:.1f}"
        line = element("line", x1=at, x2=at, y1=self.floor, y2=self.top, class_="grid")
        return element("g", line, self.under(x, text))

    def under(self, x: float, text: str) -> Html:
        """Return a number under the horizontal axis."""
        return element("text", text, x=f"{x:.1f}", y=self.floor + 15, class_="middle")

    def diagonal(self) -> Html:
        """Return the line on which both axes say the same."""
        return element("line", x1=self.left, y1=self.floor, x2=self.end, y2=self.top, class_="diagonal")

    def below(self, text: str, *, raised: int) -> Html:
        """Return what the horizontal axis is, `raised` above the lower edge."""
        x, y = (self.left + self.end) / 2, self.height - raised
        return element("text", text, x=x, y=y, class_="middle axis")

    def beside(self, text: str) -> Html:
        """Return what the vertical axis is, along the left edge."""
        y = (self.top + self.floor) / 2
        return element("text", text, x=12, y=y, transform=f"rotate(-90 12 {y})", class_="middle axis")

    def drawing(self, told: str, parts: Sequence[object]) -> Html:
        """Return the drawing; `told` says in words what it shows."""
        view = f"0 0 {self.width} {self.height}"
        return element("svg", *parts, viewBox=view, role="img", aria_label=told)
