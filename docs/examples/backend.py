"""A backend in one file: the HTTP service of the package, and a login for members.

`recsys serve` is the service by itself. This file is for whoever wants routes of their own beside it, such as
this login: an account and a password give a token for that one member, for fifteen minutes.

Once, before the first start, make a key, the safety store, and an account (the line goes into accounts.json):
openssl rand -hex 32 > recsys.key && chmod 600 recsys.key
python -c "from recsys.safety import SqliteSafety; SqliteSafety.create('data/safety.db')"
python docs/examples/backend.py u0000007

Then: RECSYS_KEY_FILE=recsys.key RECSYS_PUBLISHED=data/published RECSYS_SAFETY=sqlite:data/safety.db
ACCOUNTS=accounts.json uvicorn --app-dir docs/examples backend:app --workers 2
"""

import getpass
import hashlib
import hmac
import json
import os
import secrets
import sys
from pathlib import Path

from fastapi import APIRouter
from pydantic import BaseModel, Field

from recsys.errors import NotPermittedError
from recsys.http.access import OpenService
from recsys.http.access_tokens import AccessToken
from recsys.http.app import create_app
from recsys.http.serve import ServeSettings, open_service

MINUTES = 15
login = APIRouter(prefix="/v1", tags=["login"])


class Credentials(BaseModel):
    member: str = Field(max_length=128)
    password: str = Field(max_length=200)


class MemberToken(BaseModel):
    token: str
    minutes: int = MINUTES


def hashed(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


def fits(member: str, password: str) -> bool:
    """Say whether the password is the member's; for somebody unknown after the same work."""
    accounts = json.loads(Path(os.environ.get("ACCOUNTS", "accounts.json")).read_text())
    salt, _, kept = accounts.get(member, f"{'0' * 32}:").partition(":")
    return hmac.compare_digest(hashed(password, bytes.fromhex(salt)).hex(), kept)


@login.post("/login")
def sign_in(who: Credentials, service: OpenService) -> MemberToken:
    """Return a token with which a member's own client asks; wrong and unknown are answered alike."""
    if not fits(who.member, who.password):
        raise NotPermittedError("not permitted")
    made = AccessToken.make(["members"], viewer=who.member, minutes=MINUTES)
    return MemberToken(token=made.signed(service.keys))


SETTINGS = ServeSettings(
    published=os.environ.get("RECSYS_PUBLISHED", "data/published"),
    safety=os.environ.get("RECSYS_SAFETY", "sqlite:data/safety.db"),
    max_staleness_days=float(os.environ.get("RECSYS_MAX_STALENESS_DAYS", "7")),
    poll_s=float(os.environ.get("RECSYS_POLL_S", "2")),
)
app = create_app(lambda: open_service(SETTINGS), routers=[login])

if __name__ == "__main__":
    salt = secrets.token_bytes(16)
    print(json.dumps({sys.argv[1]: f"{salt.hex()}:{hashed(getpass.getpass(), salt).hex()}"}))
