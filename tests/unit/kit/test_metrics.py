"""Metrics: names and labels of the operations page, and zeros where nothing has happened yet."""

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from kit import metrics

EVERY = [(name, found) for name, found in vars(metrics).items() if isinstance(found, MetricWrapperBase)]


@pytest.mark.parametrize(("name", "metric"), EVERY)
def test_a_metric_of_the_kit_says_what_it_means_for_which_service(name: str, metric: MetricWrapperBase) -> None:
    assert metric._name.startswith("hub_"), name
    assert metric._labelnames[0] == "service"
    assert metric._documentation.endswith(".")


@pytest.mark.parametrize(("name", "metric"), EVERY)
def test_no_label_can_name_a_case_or_a_person(name: str, metric: MetricWrapperBase) -> None:
    allowed = {"service", "version", "schema", "route", "method", "status", "reason", "type", "outcome", "phase"}
    allowed |= {"cause", "topic", "partition", "kind", "state", "class", "code", "invariant", "result", "bucket"}
    assert set(metric._labelnames) <= allowed, name


def test_counters_begin_with_zero_for_every_known_label() -> None:
    metrics.begin("a_service", types=["rollout.case.opened.v1"], hears=["rollout.cases"], tells=["rollout.visits"])
    body, media_type = metrics.exposition()
    text = body.decode()
    assert media_type.startswith("application/openmetrics-text")
    for series in (
        'hub_events_total{outcome="parked",service="a_service",type="rollout.case.opened.v1"} 0.0',
        'hub_parked_events_total{reason="bug",service="a_service",topic="rollout.cases"} 0.0',
        'hub_relay_sent_total{service="a_service",topic="rollout.visits"} 0.0',
        'hub_dead_letters_total{reason="too_large",service="a_service"} 0.0',
        'hub_auth_refusals_total{reason="expired",service="a_service"} 0.0',
    ):
        assert series in text


def test_request_times_fall_into_the_buckets_of_the_page() -> None:
    assert metrics.HTTP_SECONDS._upper_bounds[:-1] == [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
    assert metrics.EVENT_AGE._upper_bounds[:-1] == [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300]


def test_counters_gauges_and_histograms_are_told_apart_by_their_names() -> None:
    kinds = {metric._name: type(metric) for _, metric in EVERY}
    assert {kind for name, kind in kinds.items() if name.endswith("_oldest_seconds")} == {Gauge}
    assert kinds["hub_events"] is Counter  # the library adds _total
    assert kinds["hub_batch_seconds"] is Histogram
