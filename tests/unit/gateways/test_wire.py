"""A request as it is on the wire, byte by byte, and as parsers other than ours read it."""

import base64
import email
import email.policy
import json
import random
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from bot.core.orders import Transport
from tests.fakes import wire
from tests.fakes.wire import Request, Wire

from .samples import JPEG, create, opened, request, with_files

CREATED = wire.sending(wire.answer('{"id": "video_1", "status": "queued"}', 201))
PROMPT = "eine Katze läuft 猫\r\nzweite Zeile"
PLACED = (("größe", "1280x720"), ("metadata.negative_prompt", "雨"))


def kept(folder: Path, data: bytes = JPEG) -> Path:
    path = folder / "kept.jpg"
    path.write_bytes(data)
    return path


async def sent(*pictures: Path) -> Request:
    """Return the POST as the server received it, with text fields and these files."""
    plain = with_files(Transport.UPLOAD, ("input_reference",)) if pictures else request()
    wanted = replace(plain, prompt=PROMPT, parameters=PLACED)
    server = Wire(CREATED)
    async with server.serve() as url, opened(url) as gateway:
        await create(gateway, wanted, list(pictures))
        await server.over()
    (arrived,) = server.requests
    return arrived


def parts(arrived: Request) -> list[tuple[list[str], bytes]]:
    """Return the header lines and the bytes of each part, split by hand."""
    boundary = arrived.headers["content-type"].partition("boundary=")[2].encode()
    first, *others, last = (b"\r\n" + arrived.body).split(b"\r\n--" + boundary)
    assert (first, last) == (b"", b"--\r\n")
    cut = (each.removeprefix(b"\r\n").partition(b"\r\n\r\n") for each in others)
    return [(head.decode().split("\r\n"), body) for head, _, body in cut]


async def test_a_text_part_of_a_form_has_only_a_name_and_a_file_part_a_filename_and_type_too(
    tmp_path: Path,
) -> None:
    """Formidable takes a part with a type for a file, and would then find no fields at all."""
    assert parts(await sent(kept(tmp_path))) == [
        (['Content-Disposition: form-data; name="prompt"'], PROMPT.encode()),
        (['Content-Disposition: form-data; name="model"'], b"sora-2"),
        (['Content-Disposition: form-data; name="seconds"'], b"5"),
        (['Content-Disposition: form-data; name="größe"'], b"1280x720"),
        (
            ['Content-Disposition: form-data; name="metadata"'],
            '{"negative_prompt":"雨"}'.encode(),
        ),
        (
            [
                "Content-Type: image/jpeg",
                'Content-Disposition: form-data; name="input_reference"; filename="picture.jpg"',
            ],
            JPEG,
        ),
    ]


async def test_a_form_without_files_has_the_same_text_parts_and_a_content_length(
    tmp_path: Path,
) -> None:
    alone = await sent()
    *texts, (_, seen) = parts(await sent(kept(tmp_path)))
    assert seen == JPEG
    assert [head for head, _ in parts(alone)] == [head for head, _ in texts]
    assert parts(alone)[0][1] == PROMPT.encode()
    assert alone.headers["content-length"] == str(len(alone.body))
    assert "transfer-encoding" not in alone.headers


async def test_a_form_with_a_file_declares_its_length_and_is_not_chunked(tmp_path: Path) -> None:
    arrived = await sent(kept(tmp_path))
    assert int(arrived.headers["content-length"]) == len(arrived.body)
    assert "transfer-encoding" not in arrived.headers


async def test_pythons_mail_parser_reads_a_form_as_we_wrote_it(tmp_path: Path) -> None:
    """The parser comes with Python and shares no code with aiohttp."""
    arrived = await sent(kept(tmp_path))
    head = f"Content-Type: {arrived.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + arrived.body, policy=email.policy.HTTP)

    assert [part.get_param("name", header="content-disposition") for part in message.walk()] == [
        *(None, "prompt", "model", "seconds", "größe", "metadata", "input_reference")
    ]
    *_, text, file = message.walk()
    assert ("content-type" in text, text.get_payload(decode=True)) == (
        False,
        '{"negative_prompt":"雨"}'.encode(),
    )
    assert (file.get_content_type(), file.get_filename()) == ("image/jpeg", "picture.jpg")
    assert file.get_payload(decode=True) == JPEG


async def test_aiohttps_server_reads_a_form_as_we_wrote_it(tmp_path: Path) -> None:
    read: list[dict[str, object]] = []

    async def read_it(incoming: web.Request) -> web.Response:
        form = await incoming.post()
        read.append(
            {
                name: (value.filename, value.content_type, value.file.read())
                if isinstance(value, web.FileField)
                else value
                for name, value in form.items()
            }
        )
        return web.json_response({"id": "video_1"})

    app = web.Application()
    app.router.add_post("/v1/videos", read_it)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        wanted = replace(request(), prompt=PROMPT, transport=Transport.UPLOAD)
        wanted = replace(wanted, places=(("image",),))
        async with opened(f"http://127.0.0.1:{runner.addresses[0][1]}") as gateway:
            await create(gateway, wanted, [kept(tmp_path)])
    finally:
        await runner.cleanup()

    assert read == [
        {
            "prompt": PROMPT,
            "model": "sora-2",
            "seconds": "5",
            "image": ("picture.jpg", "image/jpeg", JPEG),
        }
    ]


async def test_a_picture_of_10_mb_in_a_json_body_arrives_whole_and_in_several_pieces(
    tmp_path: Path,
) -> None:
    """A single piece would block the event loop; aiohttp's warning of that is an error here."""
    picture = kept(tmp_path, random.Random(0).randbytes(10_000_000))
    wanted = replace(with_files(Transport.BASE64, ("image",)), is_json=True)
    server = Wire(CREATED)
    async with server.serve() as url, opened(url) as gateway:
        await create(gateway, wanted, [picture])
        await server.over()
    (arrived,) = server.requests
    assert arrived.headers["content-type"] == "application/json"
    assert arrived.headers["content-length"] == str(len(arrived.body))
    assert base64.b64decode(json.loads(arrived.body)["image"]) == picture.read_bytes()
