"""What is said of each status: only good is good (LOGIN-4)."""

import itertools

import pytest
from tests.clock import START

from zorgid.ca.answers import answer_of
from zorgid.ca.model import AuthorityName, CertificateStatus, Places, StatusChange
from zorgid.ca.status import _reason
from zorgid.pki.crl import RevocationReason
from zorgid.pki.ocsp import Good, Revoked, Unknown

PAIRS = list(itertools.product(CertificateStatus, [None, *RevocationReason]))


@pytest.mark.parametrize(("status", "reason"), PAIRS)
def test_good_is_said_of_the_status_good_and_of_no_other(status, reason):
    said = answer_of(StatusChange(status, reason, START))

    assert isinstance(said, Good) is (status is CertificateStatus.good)
    assert isinstance(said, Good | Revoked)


def test_of_what_was_never_issued_nothing_is_known():
    assert answer_of(None) == Unknown()


@pytest.mark.parametrize(("status", "reason"), PAIRS)
def test_the_reason_in_the_list_fits_the_status(status, reason):
    """A hold can be released and a revocation cannot, so the reason certificateHold is for holds alone."""
    written = _reason(status, reason)

    assert (written is None) is (status is CertificateStatus.good)
    assert (written is RevocationReason.certificate_hold) is (status is CertificateStatus.on_hold)


def test_the_root_has_a_list_and_no_responder_since_its_key_is_off_line():
    places = Places("http://pki.test")

    assert places.of(AuthorityName.root).ocsp is None
    assert places.of(AuthorityName.root).crl == "http://pki.test/crl/root.crl"
    assert places.of(AuthorityName.smartcard).ocsp == "http://pki.test/ocsp"
    assert places.of(AuthorityName.smartcard).ca_issuers == "http://pki.test/ca/smartcard.cer"
