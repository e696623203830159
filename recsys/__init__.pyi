"""The public names of the package, for type checkers and for the loader in `__init__.py`."""

from . import evaluation as evaluation
from . import experiments as experiments
from . import features as features
from . import models as models
from . import plots as plots
from . import tracking as tracking
from .allocation.allocate import allocate as allocate
from .constraints.policy import Policy as Policy
from .data.events import Events as Events
from .data.population import Population as Population
from .evaluation.compare import compare as compare
from .evaluation.cross_validation import cross_validate as cross_validate
from .evaluation.cross_validation import learning_curve as learning_curve
from .evaluation.evaluate import evaluate as evaluate
from .evaluation.held_out import truth_after as truth_after
from .evaluation.off_policy import off_policy as off_policy
from .evaluation.parameter_search import tune as tune
from .interactions.interactions import Interactions as Interactions
from .models.baselines import RandomModel as RandomModel
from .models.content import ContentModel as ContentModel
from .models.hybrid import HybridModel as HybridModel
from .models.neighbours import neighbours as neighbours
from .models.order_explanation import explain_order as explain_order
from .models.popularity import PopularityModel as PopularityModel
from .ranking.compare_policies import compare_policies as compare_policies
from .ranking.ranker import Ranker as Ranker
from .ranking.recommend import recommend as recommend
from .report.list_explorer import explore as explore
from .simulation.town import make_town as make_town
from .storage.load import load_events as load_events
from .storage.load import load_population as load_population
from .storage.publication import read_publication as read_publication
from .versions import show_versions as show_versions

__version__: str
