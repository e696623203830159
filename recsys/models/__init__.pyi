"""The models of the package, for type checkers and for the loader in `__init__.py`."""

from .base import Model as Model
from .baselines import LFRR as LFRR
from .baselines import RCF as RCF
from .baselines import RECON as RECON
from .baselines import LFRRConfig as LFRRConfig
from .baselines import OneSidedALS as OneSidedALS
from .baselines import RandomConfig as RandomConfig
from .baselines import RandomModel as RandomModel
from .baselines import RCFConfig as RCFConfig
from .baselines import RECONConfig as RECONConfig
from .behaviour_parameters import BehaviourConfig as BehaviourConfig
from .bpr import BPR as BPR
from .bpr import BPRConfig as BPRConfig
from .collaborative import CollaborativeModel as CollaborativeModel
from .content import ContentConfig as ContentConfig
from .content import ContentModel as ContentModel
from .crossed_effects import CrossedEffects as CrossedEffects
from .crossed_effects import CrossedEffectsConfig as CrossedEffectsConfig
from .hybrid import HybridConfig as HybridConfig
from .hybrid import HybridModel as HybridModel
from .item_item import EASE as EASE
from .item_item import EASEConfig as EASEConfig
from .item_item import ItemKNN as ItemKNN
from .item_item import ItemKNNConfig as ItemKNNConfig
from .popularity import PopularityConfig as PopularityConfig
from .popularity import PopularityModel as PopularityModel
