"""Runs a launch link to its end: the login, and the making of a card when that is what it is for."""

from zorgid.protocol.context import Purpose
from zorgid.protocol.links import LaunchLink
from zorgid_desktop.flow.asking import Errand, Face, on_errand
from zorgid_desktop.flow.login import LoggedIn, Surroundings, log_in
from zorgid_desktop.flow.making import make_card


def run_link(around: Surroundings, face: Face, link: LaunchLink) -> LoggedIn:
    """Do what the link is for, and return the login that it began with. Raises as the flows do."""
    with on_errand(Errand.login):
        logged_in = log_in(around, face, link)
    if logged_in.context.purpose is Purpose.make_card:
        with on_errand(Errand.making):
            make_card(around, face, link)
    return logged_in
