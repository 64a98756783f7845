"""Issues codes to people whose session is proof enough, for as many as ask at once (`storage.together`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from zorgid.audit.actions import entry, record_all
from zorgid.audit.model import Event
from zorgid.kernel.ids import GrantId, new_id
from zorgid.kernel.secrets import Secret
from zorgid.login.model import Session
from zorgid.login.sessions import actor_of
from zorgid.oidc import store
from zorgid.oidc.model import AuthorisationRequest, Grant, IssuedCode, Organisation, grant_subject
from zorgid.oidc.organisation import organisations_of_work
from zorgid.oidc.profiles import CODE_LIVES_FOR
from zorgid.oidc.response import AuthorisationResponse, code_response
from zorgid.storage.database import Work


@dataclass(frozen=True)
class Granted:
    """A checked request and the session that is proof enough for it, in the work of whoever asks."""

    work: Work
    request: AuthorisationRequest
    session: Session


async def issue_codes(those: Sequence[Granted], *, issuer: str) -> Sequence[AuthorisationResponse]:
    """Write a grant and a code for each, and return the response that carries it.

    Their works are one transaction. The text of a code is in the response only.
    """
    if not those:
        return []
    work = those[0].work
    wishes = [(one.session, one.request.organisation) for one in those]
    works_for = await organisations_of_work(work, wishes)
    grants = [_grant(one, organisation) for one, organisation in zip(those, works_for, strict=True)]
    codes = [Secret.new(32, work.random) for _ in those]
    await store.add_codes(
        work,
        [
            IssuedCode(
                grant=grant,
                code_hash=code.digest(),
                redirect_uri=one.request.target.redirect_uri,
                code_challenge=one.request.code_challenge,
                expires_at=work.now + CODE_LIVES_FOR,
            )
            for one, grant, code in zip(those, grants, codes, strict=True)
        ],
    )
    await record_all(
        work,
        [
            entry(
                one.work,
                event=Event.code_issued,
                by=actor_of(one.session),
                on=grant_subject(grant.id),
                facts={"client": grant.client_id, "acr": grant.acr, "guest": grant.organisation.guest},
            )
            for one, grant in zip(those, grants, strict=True)
        ],
    )
    return [
        code_response(one.request.target, code=code.text_for_wire(), issuer=issuer)
        for one, code in zip(those, codes, strict=True)
    ]


def _grant(one: Granted, organisation: Organisation) -> Grant:
    work, request, session = one.work, one.request, one.session
    return Grant(
        id=GrantId(new_id(work.random)),
        client_id=request.client_id,
        person_id=session.person_id,
        session_id=session.id,
        sid=session.sid,
        scope=request.scope,
        nonce=request.nonce,
        acr=session.means.level,
        authenticated_at=session.authenticated_at,
        means=session.means.kind,
        uzi_number=session.means.uzi_number,
        ura_on_card=session.means.ura,
        full_name=session.means.full_name,
        organisation=organisation,
        id_token_claims=request.id_token_claims,
        created_at=work.now,
    )
