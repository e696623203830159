"""The public names of the package, for type checkers and for the loader in `__init__.py`."""

from . import evaluation as evaluation
from . import plots as plots
from .allocation.allocate import allocate as allocate
from .constraints.policy import Policy as Policy
from .data.events import Events as Events
from .data.population import Population as Population
from .evaluation.compare import compare as compare
from .evaluation.evaluate import evaluate as evaluate
from .interactions.interactions import Interactions as Interactions
from .models.baselines import RandomModel as RandomModel
from .models.content import ContentModel as ContentModel
from .models.hybrid import HybridModel as HybridModel
from .models.popularity import PopularityModel as PopularityModel
from .ranking.ranker import Ranker as Ranker
from .ranking.recommend import recommend as recommend
from .simulation.town import make_town as make_town
from .storage.load import load_events as load_events
from .storage.load import load_population as load_population
from .storage.publication import read_publication as read_publication

__version__: str
