"""Runs a launch link to its end: the login, and the making of a card when that is what it is for."""

from zorgid.protocol.context import Purpose
from zorgid.protocol.links import LaunchLink
from zorgid_desktop.flow.asking import Face
from zorgid_desktop.flow.login import Surroundings, log_in
from zorgid_desktop.flow.making import make_card


def run_link(around: Surroundings, face: Face, link: LaunchLink) -> None:
    """Do what the link is for. Raises as the flows do."""
    context = log_in(around, face, link)
    if context.purpose is Purpose.make_card:
        make_card(around, face, link)
