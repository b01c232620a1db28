"""What the bench of CIM XML compares (X21): both sides read the same messages, of the size that is asked."""

from lxml import etree

from services.mdm_adapter.dialects.cim_xml.messages import decode, encode_request, own_faults
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from tests.bench.orders import corpus
from tests.bench.table import TARGETS
from tests.bench.xml_codec import BERLIN, alone, documents_of, ours, sending

DATA = corpus(40)


def test_X21_the_corpus_of_the_bench_is_the_same_every_time_and_of_the_size_that_is_asked() -> None:
    assert corpus(40) == DATA
    assert 4_000 < sum(map(len, DATA)) / len(DATA) < 5_000
    assert {sum(1 for _ in etree.fromstring(each).iter("*")) for each in DATA} == {57}


def test_X21_both_sides_take_every_message_and_refuse_the_same_damage() -> None:
    for data in DATA:
        ours(data)
        alone(data)
    documents = documents_of(DATA)
    assert {type(each) for each in documents} == {WorkOrderRequested}
    assert len({each.order_no for each in documents}) == len(DATA)
    bad = DATA[0].replace(b">exchange<", b">swap<")
    assert [found.code for found in decode(bad, None, None).findings] == ["1.8"]


def test_X21_what_is_written_is_what_was_read() -> None:
    for document in documents_of(DATA):
        content = encode_request(document, sending(), BERLIN)
        (item,) = decode(content, None, None).items
        assert (own_faults(content), item.document) == ([], document)


def test_X21_the_ratio_and_the_rate_are_kept_by_the_bench() -> None:
    assert TARGETS["codec.xml.ratio_parse_xsd"].must == 0.28
    assert TARGETS["codec.xml.messages_per_s"].goal == 3_000
    assert (TARGETS["codec.xml.batch_peak_mb"].must, TARGETS["codec.xml.batch_peak_mb"].at_least) == (150, False)
