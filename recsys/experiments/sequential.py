"""Sequential looks: intervals and stopping rules that hold however often and whenever one looks.

A usual interval is right for one look that was fixed beforehand; looked at every night until it leaves 0 it
is wrong far more often than it says. Intervals here are those of the mixture sequential probability ratio
test with a normal mixture: R. Johari, L. Pekelis and D. Walsh, "Always valid inference: continuous monitoring
of A/B tests"; for estimated variances I. Waudby-Smith et al., "Time-uniform central limit theory and
asymptotic confidence sequences", arXiv:2103.06476.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.special import betainc, betaln

from recsys.arguments import checked_arguments
from recsys.experiments.estimates import Estimate


@checked_arguments
def always_valid_interval(found: Estimate, *, scale: float, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of an estimate that may be looked at any number of times.

    scale: the standard deviation of the effects the experiment was made for; the interval is narrowest for
    errors of about a third of it, and valid for every scale that was chosen before the first look.

    With the variance V of a look and effects spread by s, the effect is inside
    sqrt(2 V (V + s^2) / s^2 log(sqrt((V + s^2) / V) / alpha)) of its estimate at every look, with probability
    `level`. Few units make that a quantile of Student's t of the same probability.

    >>> look = Estimate(1.0, 1.5, 0.5, 0.1, 1e9, 100)
    >>> [round(end, 3) for end in always_valid_interval(look, scale=0.3)]
    [0.196, 0.804]
    """
    if not np.isfinite(found.error) or found.error <= 0.0:
        return float("nan"), float("nan")
    ratio = (scale / found.error) ** 2
    deviations = np.sqrt(2.0 * (1.0 + ratio) / ratio * np.log(np.sqrt(1.0 + ratio) / (1.0 - level)))
    tail = max(float(special.ndtr(-deviations)), 1e-300)
    half = -float(special.stdtrit(max(found.degrees, 1.0), tail)) * found.error
    return found.effect - half, found.effect + half


@dataclass(frozen=True, slots=True)
class HarmTest:
    """Whether an arm harms more people than the first one, at any number of looks.

    arm, control: people who were harmed in each. ratio: rate of the arm over that of the first.
    evidence: how many times likelier the counts are under more harm than under the limit; by Ville's
    inequality it exceeds 1 / alpha with probability alpha at most, however long one looks.
    """

    arm: int
    control: int
    ratio: float
    evidence: float

    def stops(self, alpha: float = 0.05) -> bool:
        """Say whether the arm has to end."""
        return self.evidence >= 1.0 / alpha


@checked_arguments
def harm_test(arm: int, control: int, share: float, *, most: float = 1.0) -> HarmTest:
    """Test counts of harmed people, each counted once, against at most `most` times the first arm's rate.

    arm, control: counts. share: what part of the person-nights of both is the arm's, in (0, 1).

    Given the sum, a harmed person is in the arm with probability at most
    c = most share / (most share + 1 - share); the evidence is the mean likelihood ratio over all
    probabilities above c, against c itself.

    >>> harm_test(12, 2, 0.5).stops(), harm_test(5, 4, 0.5).stops()
    (True, False)
    """
    limit = most * share / (most * share + 1.0 - share)
    a, b = arm + 1.0, control + 1.0
    upper = 1.0 - float(betainc(a, b, limit))
    log_mean = float(betaln(a, b)) + np.log(max(upper, 1e-300)) - np.log(1.0 - limit)
    log_limit = arm * np.log(limit) + control * np.log(1.0 - limit)
    odds = share / (1.0 - share)
    ratio = arm / control / odds if control else (float("inf") if arm else float("nan"))
    return HarmTest(arm, control, ratio, float(np.exp(min(log_mean - log_limit, 700.0))))
