"""One night from lists to everything that follows from them."""

from recsys.simulation.endings import break_off, say_goodbye
from recsys.simulation.inbox import answer_likes
from recsys.simulation.looking import look
from recsys.simulation.scene import Scene
from recsys.simulation.shown import Shown
from recsys.simulation.talks import talk
from recsys.simulation.trust import build_trust


def play(scene: Scene, shown: Shown, at: int) -> None:
    """Log what follows from opened lists: look, like, inbox, reply, talk, meet, comfortable.

    at: the night, in seconds; what the lists lead to may lie weeks later.
    """
    likes = look(scene, shown, at)
    matches = answer_likes(scene, likes, at)
    talks = talk(scene, matches)
    going_on = talks.take(~break_off(scene, talks))
    together = build_trust(scene, going_on)
    say_goodbye(scene, going_on.take(~together))
