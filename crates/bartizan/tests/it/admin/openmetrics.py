"""Reads a page of OpenMetrics, and tells of each exemplar its sample and its trace."""

import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

for family in text_string_to_metric_families(sys.stdin.buffer.read().decode()):
    for sample in family.samples:
        if sample.exemplar:
            print(sample.name, sample.exemplar.labels["trace_id"])
