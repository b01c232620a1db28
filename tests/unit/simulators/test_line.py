"""The line to the hub: the right address, and patience while a service is away."""

import httpx
import pytest

from simulators.line import Line


class Service:
    """Answers as told, and remembers what came."""

    def __init__(self, *answers: int | httpx.TransportError) -> None:
        self.answers, self.came = list(answers), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.came.append(request)
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, httpx.TransportError):
            raise answer
        return httpx.Response(answer)


def a_client(service: Service, *, patience_seconds: float = 5.0, **addresses: str) -> httpx.AsyncClient:
    line = Line(addresses, patience_seconds=patience_seconds, inner=httpx.MockTransport(service))
    return httpx.AsyncClient(base_url="http://hub.example/api", transport=line)


async def test_a_request_is_sent_again_unchanged_until_somebody_answers() -> None:
    service = Service(httpx.ConnectError("gone"), 503, httpx.ReadError("died"), 200)
    answer = await a_client(service).post("/case/v1/x", json={"move": "start"}, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 200
    assert len(service.came) == 4
    assert {(request.content, request.headers["Idempotency-Key"]) for request in service.came} == {
        (b'{"move":"start"}', "k")
    }


async def test_a_refusal_is_an_answer() -> None:
    service = Service(409)
    assert (await a_client(service).post("/case/v1/x", json={})).status_code == 409
    assert len(service.came) == 1


async def test_patience_ends() -> None:
    service = Service(httpx.ConnectError("gone"))
    with pytest.raises(httpx.ConnectError):
        await a_client(service, patience_seconds=0).get("/case/v1/x")
    assert (await a_client(Service(503), patience_seconds=0).get("/case/v1/x")).status_code == 503


async def test_a_service_of_its_own_is_asked_at_its_own_address() -> None:
    service = Service()
    client = a_client(service, case="http://127.0.0.1:9001")
    await client.get("/case/v1/work-orders", params={"state": "OPEN"})
    await client.get("/qa/v1/reviews")
    assert [str(request.url) for request in service.came] == [
        "http://127.0.0.1:9001/v1/work-orders?state=OPEN",
        "http://hub.example/api/qa/v1/reviews",
    ]
    assert service.came[0].headers["host"] == "127.0.0.1:9001"
