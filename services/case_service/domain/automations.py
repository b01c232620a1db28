"""What the hub does by itself (lifecycle §13): rule ids, triggers, effects, and the key under which each fires once.

A rule that fires leaves its id in the audit: `Case.automated` notes it, the transaction writes it.
"""

# ruff: noqa: E501 - the table is as wide as the page's

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Automation(NamedTuple):
    """One row of the page's table."""

    trigger: str
    effect: str
    key: str
    """It fires at most once for each value of this."""


# fmt: off
AUTOMATIONS: Mapping[str, Automation] = MappingProxyType({
    "A01": Automation("VisitReported, done or partly done",            "qa_service opens a review",                       "visit"),
    "A02": Automation("ReviewApproved",                                "T21, HandoverRequested",                          "order, digest"),
    "A03": Automation("HandoverAccepted and whatever else may be last", "the gate is asked: CaseCompleted",               "case, completion"),
    "A04": Automation("a partial result",                              "a follow-up order opens",                         "order"),
    "A05": Automation("the third failed visit, a refusal",             "an exception is raised",                          "case, type"),
    "A06": Automation("HandoverRejected",                              "T25, exception, alert to MDM",                    "case, attempt"),
    "A07": Automation("OrderCancelled",                                "the cancellation matrix",                         "order, version"),
    "A08": Automation("80 and 100 % of the SLA target",                "SlaAtRisk, SlaBreached",                          "case, target version"),
    "A09": Automation("a statutory notice is missing, or `announce`",  "HandoverRequested(rollout_announced), phase NOTICE", "case"),
    "A10": Automation("ReworkRequested",                               "queue of the executor's company",                 "review, round"),
    "A11": Automation("the hour of the hotlists",                      "what waited too long is listed, alerted once",    "order, state"),
    "A12": Automation("completion notice of an installer",             "a linked case: connect and set meter",            "notice"),
    "A13": Automation("second silent device without coverage in a building", "ANTENNA_OR_LAN on its open orders",         "building"),
})
# fmt: on
