"""Requests to servers of one's own, for several test modules."""

from io import BytesIO

from .pictures import form
from .plugged import Json, Order, Shop


async def sent(it: Shop, fields: dict[str, str], *files: tuple[str, bytes]) -> Order:
    """Order a video with a form; a file may have the same name as another."""
    body = form({"prompt": "a cat", **fields})
    for name, data in files:
        body.add_field(name, BytesIO(data), filename="a.png", content_type="image/png")
    return await it.post(data=body)


async def polled(it: Shop, name: object) -> tuple[int, Json]:
    """Return the status and the body of a response to a poll."""
    async with it.client.get(f"/v1/videos/{name}") as answer:
        body = await answer.json()
    assert isinstance(body, dict)
    return answer.status, body


def detail(order: Order) -> tuple[int, object]:
    """Return the status and the sorted names of invalid fields, or the status and the message."""
    said = order.body["detail"]
    if isinstance(said, list):
        return order.status, sorted(each["loc"][-1] for each in said)
    return order.status, said
