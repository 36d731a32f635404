"""How good raters of sessions are, with truth and without it.

A rater says of a session whether it is mail (or SMTP, POP3, IMAP): MailTap's decoder, stock Zeek, a
DPI engine's labels of one provenance. `Ratings` holds what they say, counted; `against_truth`,
`agreements` and `without_truth` make the figures.
"""

from mailtap.accuracy.against_truth import Accuracy, RaterAccuracy, against_truth
from mailtap.accuracy.agreement import Agreement, agreements
from mailtap.accuracy.clusters import Figure, share
from mailtap.accuracy.ratings import MISSING, Ratings, RatingsError
from mailtap.accuracy.without_truth import LatentAccuracy, Refusal, without_truth

__all__ = [
    "MISSING",
    "Accuracy",
    "Agreement",
    "Figure",
    "LatentAccuracy",
    "RaterAccuracy",
    "Ratings",
    "RatingsError",
    "Refusal",
    "against_truth",
    "agreements",
    "share",
    "without_truth",
]
