"""The Lorenz curve: which share of everything the least provided hold."""

import numpy as np
import numpy.typing as npt


def lorenz_curve(amounts: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the shares of people and of the total they hold, least first, both `(n + 1,)` from 0 to 1.

    When there is nothing to share, everybody holds alike.

    M. O. Lorenz, "Methods of measuring the concentration of wealth", Publications of the American
    Statistical Association 9 (1905) 209-219.

    >>> people, share = lorenz_curve([1.0, 3.0])
    >>> people.tolist(), share.tolist()
    ([0.0, 0.5, 1.0], [0.0, 0.25, 1.0])
    """
    ascending = np.sort(np.asarray(amounts, np.float64))
    total = np.concatenate([[0.0], np.cumsum(ascending)])
    people = np.linspace(0.0, 1.0, len(total))
    return people, (total / total[-1] if total[-1] > 0 else people)
