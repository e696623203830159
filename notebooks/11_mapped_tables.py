# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A service's own tables
#
# A service exports its members as it keeps them: a birth date, a town, codes, an old row beside a new one. A mapping
# of a few lines of SQL and YAML reads them, checks them, and says who could be listed and who not, and why. The
# export is written here; [Your own service](../docs/tutorials/your-service.md) goes on from the same mapping to a
# night and a page.

# %% tags=["parameters"]
N_PEOPLE = 600
SEED = 7

# %%
import os
import secrets
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import recsys
from recsys import plots
from recsys.mapping import Mapping, check_mapping

plots.use_style()

# %% [markdown]
# ## The export
#
# One table of members and one of blocks. One in fifty has no checked identity, and some rows are there twice.

# %%
rng = np.random.default_rng(SEED)
number = np.arange(1, N_PEOPLE + 1)
members = pd.DataFrame(
    {
        "no": [f"{n:04d}" for n in number],
        "born": [f"{year}-0{month}-17" for year, month in zip(1960 + number % 35, 1 + number % 9)],
        "sex": np.array(["F", "M"])[number % 2],
        "town": rng.choice(["大阪市", "京都市", "札幌市", "名古屋市", "福岡市"], N_PEOPLE, p=[0.5, 0.2, 0.1, 0.1, 0.1]),
        "home": rng.choice(["single", "partnered", "married"], N_PEOPLE),
        "purpose": rng.choice(["talk", "talk;hobby", "hobby"], N_PEOPLE, p=[0.4, 0.4, 0.2]),
        "times": rng.choice(["weekend evening", "weekday evening", "weekend daytime"], N_PEOPLE),
        "checked": np.where(number % 50 == 0, "no", "yes"),
        "seen": [f"2026-06-{day:02d} 21:00" for day in 1 + number % 29],
        "updated": "2026-06-01",
    }
)
older = members.sample(20, random_state=SEED).assign(updated="2025-01-01")
work = tempfile.TemporaryDirectory()
export, mapping = Path(work.name) / "export", Path(work.name) / "mapping"
export.mkdir()
mapping.mkdir()
pd.concat([members, older]).to_csv(export / "members.csv", index=False)
(export / "blocks.csv").write_text("no,other,since\n0001,0002,2026-06-02 10:00\n")
members.head(3)

# %% [markdown]
# ## The mapping
#
# `mapping.yaml` says what holds once; what members agreed to names its document. A query a table says the rest.

# %%
_ = (mapping / "mapping.yaml").write_text(
    """
source: ../export
as_of: 2026-06-30T23:59:59+09:00
zone: Asia/Tokyo
country: JP
declared:
  profiles.languages: {value: [ja], document: "terms 1"}
  profiles.tz: {value: Asia/Tokyo, document: "terms 1"}
  profiles.accepts_household_status: {value: [single, partnered, married, separated], document: "terms 2"}
  profiles.max_distance_km: {value: 100, document: "terms 2"}
  profiles.discretion: {value: open, document: "terms 4"}
  boundaries.contact_frequency: {value: weekly, document: "house rule 1"}
  boundaries.channels: {value: [in_app_text], document: "house rule 1"}
  boundaries.meeting_settings: {value: [online_only, cafe_day], document: "house rule 2"}
  boundaries.romance_line: {value: none_expected, document: "house rule 2"}
  boundaries.physical_line: {value: none, document: "house rule 2"}
  boundaries.financial_line: {value: split_bill, document: "house rule 2"}
  boundaries.disclosure: {value: nickname_only, document: "house rule 3"}
"""
)
_ = (mapping / "profiles.sql").write_text(
    """
WITH numbered AS (
  SELECT *, row_number() OVER (PARTITION BY canonical_id(no) ORDER BY updated DESC) AS newest FROM members
)
SELECT canonical_id(no) AS user_id,
  CASE WHEN newest > 1 THEN 'older_row' END AS set_aside,
  token('person', no) AS person_token,
  CASE checked WHEN 'yes' THEN 'id' END AS verification,
  CASE checked WHEN 'yes' THEN age_band(born) END AS age_band,
  'active' AS account_state, activity(utc(seen)) AS activity,
  CASE sex WHEN 'F' THEN 'woman' WHEN 'M' THEN 'man' END AS gender,
  home AS household_status,
  [MAP {'talk': 'conversation_only', 'hobby': 'hobby_companion'}[word] FOR word IN words(purpose)] AS intents,
  cell_of_place('JP', NULL, town) AS cell
FROM numbered
"""
)
_ = (mapping / "boundaries.sql").write_text(
    "SELECT DISTINCT canonical_id(no) AS user_id, windows(times) AS contact_windows FROM members"
)
_ = (mapping / "events.sql").write_text(
    """
SELECT 'terms-' || no AS event_id, utc(updated) AS ts, canonical_id(no) AS actor, NULL AS target,
  'terms_accepted' AS type, NULL AS detail FROM members WHERE updated >= '2026'
UNION ALL BY NAME
SELECT 'proof-' || no AS event_id, utc(updated) AS ts, canonical_id(no) AS actor, NULL AS target,
  'verified' AS type, 'id' AS detail FROM members WHERE updated >= '2026' AND checked = 'yes'
"""
)
_ = (mapping / "blocks.sql").write_text(
    "SELECT canonical_id(no) AS actor, canonical_id(other) AS target, utc(since) AS ts FROM blocks"
)

# %% [markdown]
# ## Who could be listed
#
# The secret keys the tokens by which two accounts of one person are known; a service keeps its own, here it is new.

# %%
os.environ["RECSYS_TOKEN_SECRET"] = secrets.token_hex(32)
check = check_mapping(Mapping.read(mapping))
print(check.report("en"))

# %%
unproved = int((members.checked == "no").sum())
pd.Series(
    {
        "rows": len(members) + len(older),
        "set aside as older": check.tables.set_aside["profiles"]["older_row"],
        "members": N_PEOPLE,
        "identity not checked": unproved,
        "could be listed": len(check.listed),
    },
    name="count",
)

# %% [markdown]
# ## The funnel
#
# The mapping is a source like any other. The funnel counts pairs of viewer and candidate, of all people, after each
# rule in turn.

# %%
people = recsys.load_population(f"mapping:{mapping}")
policy = recsys.Policy.default()
steps = recsys.constraints.funnel(policy, people)
plots.funnel(steps);

# %% [markdown]
# ## Where members live

# %%
plots.cell_map(people, resolution=4);

# %% [markdown]
# ## First lists
#
# Nobody has answered a question or looked at anybody, so the model knows of each pair only how near the two live;
# what makes these lists worth showing yet is the rules. Answers and events come in by the same mapping.

# %%
model = recsys.ContentModel().fit(people, recsys.Events.none(), rng=SEED)
lists = recsys.recommend(model, people, policy, k=5)
work.cleanup()
lists.head(3)
