"""The main job by itself, over real HTTP and real card commands, with a line on the terminal for each step.

An organisation registers; an employee logs in with a UZI card, makes a Smartcard and logs in with that; the
card is held, released and revoked; and everything that must be refused is tried and refused.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from zorgid.ca import actions as ca
from zorgid.cards import actions as cards
from zorgid.demo.refusals import BAD_CARDS, BAD_MAKINGS, BAD_REQUESTS, Tried
from zorgid.demo.running import DEMO, RunningDemo
from zorgid.demo.visitor import Page, Visitor, WalkStopped
from zorgid.demo.walks import Walks
from zorgid.demo.wire import addresses_of, statuses
from zorgid.demo.world import DE_LINDE, MEMBERS
from zorgid.pki.profiles import Profile

DOCTOR: Final = "huisarts-linde"
EMPLOYEE: Final = "assistente-linde"
NEW_PIN: Final = "Linde24"
BLANK: Final = "leeg-1"


@dataclass
class Facts:
    """What is found on the way; becomes the report."""

    organisation: dict[str, str] = field(default_factory=dict)
    card: dict[str, str] = field(default_factory=dict)
    logins: list[dict[str, Any]] = field(default_factory=list)
    ocsp: dict[str, str] = field(default_factory=dict)
    crl: dict[str, str] = field(default_factory=dict)
    refused: list[dict[str, str]] = field(default_factory=list)
    mandate_kept: bool = False
    timings_s: dict[str, float] = field(default_factory=dict)


class MainJob:
    """One run of the main job on a fresh demo."""

    def __init__(self, demo: RunningDemo, say: Callable[[str], None]) -> None:
        self._demo = demo
        self._say = say
        self._walks = Walks(demo)
        self._facts = Facts()
        self._certificates: dict[Profile, x509.Certificate] = {}
        self._is_sound = True

    async def run(self) -> bool:
        """Run all steps; true when each ended as it must."""
        steps: tuple[tuple[str, Callable[[], Awaitable[None]]], ...] = (
            ("Een organisatie registreert zich met een zorgverlenerspas", self._register),
            ("De huisarts logt in en geeft een mandaat", self._give_mandate),
            ("De medewerker logt in met de UZI-pas", self._log_in_with_uzi_card),
            ("De medewerker maakt een ZORG-ID Smartcard", self._make_card),
            ("De medewerker logt in met de Smartcard", self._log_in_with_smartcard),
            ("De beheerder blokkeert de kaart: inloggen wordt geweigerd", self._hold),
            ("De beheerder deblokkeert de kaart: inloggen lukt weer", self._release),
            ("Alles wat geweigerd moet worden, wordt geweigerd", self._refusals),
            ("De beheerder trekt de kaart in: inloggen kan nooit meer", self._revoke),
        )
        began = time.monotonic()
        for number, (title, step) in enumerate(steps, start=1):
            if not await self._is_done(number, len(steps), title, step):
                break
        self._facts.timings_s["total"] = round(time.monotonic() - began, 2)
        verdict = "Gelukt" if self._is_sound else "NIET GELUKT"
        self._say(f"\n{verdict} in {self._facts.timings_s['total']:.1f} s.")
        return self._is_sound

    async def _is_done(self, number: int, of: int, title: str, step: Callable[[], Awaitable[None]]) -> bool:
        """Run one step, tell how it went, and note how long it took."""
        began = time.monotonic()
        try:
            await step()
        except WalkStopped as stopped:
            self._is_sound = False
            self._say(f"  ✗ {number}/{of}  {title}\n        {stopped}")
            return False
        spent = round(time.monotonic() - began, 2)
        self._facts.timings_s[step.__name__.strip("_")] = spent
        self._say(f"  ✓ {number}/{of}  {title}  ({spent:.1f} s)")
        return True

    def _expect(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            raise WalkStopped(f"{what}: {found!r} in plaats van {wanted!r}")

    async def _register(self) -> None:
        async with Visitor() as visitor:
            page = await self._walks.validate_organisation(visitor, DOCTOR)
        member = MEMBERS[0]
        self._expect("organisatie in beeld", member.name in page.text, wanted=True)
        self._facts.organisation = {"name": member.name, "ura": member.ura}

    async def _give_mandate(self) -> None:
        async with Visitor() as visitor:
            page = await self._log_in(
                visitor, "mandate-giver", f"uzi-{DOCTOR}", self._pin(DOCTOR), "uzi-card"
            )
            number = self._demo.world.card(EMPLOYEE).person.uzi_number
            await visitor.submit(page, "/mandates", uzi_number=number)

    def _pin(self, label: str) -> str:
        return self._demo.world.card(label).pin

    async def _log_in_with_uzi_card(self) -> None:
        async with Visitor() as visitor:
            page = await self._log_in(visitor, "uzi-card", f"uzi-{EMPLOYEE}", self._pin(EMPLOYEE), "uzi-card")
        self._expect("mandaat met UZI-pas", "U hebt een mandaat" in page.text, wanted=True)

    async def _log_in(self, visitor: Visitor, step: str, card: str, pin: str, means: str) -> Page:
        """Log in at the care application and note who it says is there."""
        outcome = await self._walks.log_in(visitor, card, pin)
        claims = self._walks.latest_claims() if outcome.page else {}
        self._facts.logins.append(
            {
                "step": step,
                "expected": "logged-in",
                "outcome": "logged-in" if outcome.page else "refused",
                "means": claims.get("urn:zorgid:means", ""),
                "subject": claims.get("sub", ""),
                "uzi_number": claims.get("urn:zorgid:uzi_number", ""),
                "ura": claims.get("urn:zorgid:ura_on_card", ""),
                "reason": outcome.code,
            }
        )
        if outcome.page is None:
            raise WalkStopped(f"inloggen geweigerd: {outcome.code} {outcome.sentence}")
        if claims.get("urn:zorgid:means") != means:
            raise WalkStopped(f"niet ingelogd als {means}: {outcome.page.text[-1500:]}")
        return outcome.page

    async def _expect_refused(self, step: str, code: str) -> None:
        async with Visitor() as visitor:
            outcome = await self._walks.log_in(visitor, BLANK, NEW_PIN)
        self._facts.logins.append(
            {
                "step": step,
                "expected": "refused",
                "outcome": "logged-in" if outcome.page else "refused",
                "means": "smartcard",
                "subject": "",
                "uzi_number": self._demo.world.card(EMPLOYEE).person.uzi_number,
                "ura": DE_LINDE,
                "reason": outcome.code,
            }
        )
        self._expect("weigering", outcome.code, code)

    async def _make_card(self) -> None:
        async with Visitor() as visitor:
            made = await self._walks.make_card(
                visitor, EMPLOYEE, blank=BLANK, new_pin=NEW_PIN, before_keeping=self._note_issuing
            )
        self._facts.card = {
            "number": made.card_number or "",
            "chip_serial": made.chip_serial or "",
            "holder": made.full_name,
        }
        await self._walks.publish()
        await self._note("active", "good", "not listed")

    async def _note_issuing(self) -> None:
        """Look while the PUK is shown: the certificates are on the card, and good for nothing yet."""
        services = self._demo.platform.services
        async with services.database.work(DEMO) as work:
            person = await cards.card_by_number(work, await self._walks.number_of(BLANK))
            issued = await ca.certificates_of_card(work, person.id)
        self._certificates = {one.profile: one.certificate for one in issued}
        await self._note("issuing", "on hold", "on hold")

    async def _note(self, moment: str, by_ocsp: str, by_crl: str) -> None:
        found = await statuses(
            self._certificates[Profile.authentication], self._demo.platform.hierarchy.smartcard.certificate
        )
        self._facts.ocsp[moment], self._facts.crl[moment] = found.ocsp, found.crl
        self._expect(f"OCSP {moment}", found.ocsp, by_ocsp)
        self._expect(f"CRL {moment}", found.crl, by_crl)

    async def _log_in_with_smartcard(self) -> None:
        async with Visitor() as visitor:
            page = await self._log_in(visitor, "smartcard", BLANK, NEW_PIN, "smartcard")
        self._facts.mandate_kept = "U hebt een mandaat" in page.text
        self._expect("mandaat met Smartcard", self._facts.mandate_kept, wanted=True)

    async def _hold(self) -> None:
        await self._manage("hold", reason="lost")
        await self._expect_refused("held", "card-held")
        await self._note("held", "on hold", "on hold")

    async def _release(self) -> None:
        await self._manage("release")
        async with Visitor() as visitor:
            await self._log_in(visitor, "released", BLANK, NEW_PIN, "smartcard")
        await self._note("released", "good", "not listed")

    async def _revoke(self) -> None:
        await self._manage("revoke", reason="lost")
        await self._expect_refused("revoked", "card-revoked")
        await self._note("revoked", "revoked", "revoked")

    async def _manage(self, act: str, **fields: str) -> None:
        """Let the administrator act in the portal, logged in with the Z card; then have the CRL published."""
        async with Visitor() as visitor:
            await self._walks.manage(visitor, DOCTOR, self._facts.card["number"], act, **fields)
        await self._walks.publish()

    async def _refusals(self) -> None:
        for attempts in (BAD_CARDS, BAD_MAKINGS, BAD_REQUESTS):
            for attempt in attempts(self._demo):
                tried = await attempt.run(self._walks)
                self._facts.refused.append(_entry(tried))
                if tried.code != attempt.code:
                    raise WalkStopped(f"{attempt.name}: {tried.code!r} in plaats van {attempt.code!r}")
        self._say(f"        {len(self._facts.refused)} pogingen, alle geweigerd")

    def report(self) -> dict[str, Any]:
        """Return the facts, ready to be written as JSON."""
        facts, world = self._facts, self._demo.world
        crl_url, ocsp_url = (
            addresses_of(self._certificates[Profile.authentication]) if self._certificates else ("", "")
        )
        chain = (self._demo.platform.hierarchy.smartcard, self._demo.platform.hierarchy.root)
        return {
            "organisation": facts.organisation,
            "card": facts.card,
            "certificates": {profile.value: _pem(one) for profile, one in self._certificates.items()},
            "chain": [_pem(authority.certificate) for authority in chain],
            "uzi_certificate": _pem(world.card(EMPLOYEE).authentication.certificate),
            "crl_url": crl_url,
            "ocsp_url": ocsp_url,
            "logins": facts.logins,
            "ocsp": facts.ocsp,
            "crl": facts.crl,
            "mandate_kept": facts.mandate_kept,
            "refused": facts.refused,
            "timings_s": facts.timings_s,
        }


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _entry(tried: Tried) -> dict[str, str]:
    return {"tried": tried.name, "code": tried.code, "sentence": tried.sentence}
