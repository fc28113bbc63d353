"""What is sent: the API document's examples to the letter, and the other dialects' spellings."""

import base64
import json
from pathlib import Path

import pytest

from bot.core.errors import Broken
from bot.core.orders import Transport
from bot.gateways.requests import Body, FilePart, build

from .samples import JPEG, request, with_picture

URI = "data:image/jpeg;base64," + base64.b64encode(JPEG).decode()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "kept.jpg"
    path.write_bytes(JPEG)
    return path


def test_the_documents_text_to_video() -> None:
    prompt = "一个穿着宇航服的宇航员在月球上行走, 高品质, 电影级"

    assert build(request(prompt=prompt, size="1920x1080"), []) == Body(
        (("prompt", prompt), ("model", "sora-2"), ("seconds", "5"), ("size", "1920x1080"))
    )


def test_the_documents_picture_by_upload(picture: Path) -> None:
    prompt = "猫咪慢慢睁开眼睛,伸懒腰"
    wanted = with_picture(
        "sora-2",
        Transport.UPLOAD,
        "input_reference",
        prompt=prompt,
        seconds=3,
        size="1920x1080",
    )

    assert build(wanted, [picture]) == Body(
        (("prompt", prompt), ("model", "sora-2"), ("seconds", "3"), ("size", "1920x1080")),
        (FilePart("input_reference", "picture.jpg", "image/jpeg", picture),),
    )


def test_the_documents_wan_text_to_video() -> None:
    prompt = "一只可爱的小猫在花园里玩耍,阳光明媚,色彩鲜艳"
    wanted = request("wan2.5-t2v-preview", prompt=prompt, size="1920*1080")

    assert build(wanted, []) == Body(
        (
            ("prompt", prompt),
            ("model", "wan2.5-t2v-preview"),
            ("seconds", "5"),
            ("size", "1920*1080"),
        )
    )


def test_the_documents_wan_extras() -> None:
    """The JavaScript example: JSON.stringify({watermark: false, prompt_extend: true})."""
    extras = (("watermark", False), ("prompt_extend", True))
    wanted = request("wan2.5-t2v-preview", size="1920*1080", extras=extras)

    assert build(wanted, []).fields[4:] == (
        ("metadata", '{"watermark":false,"prompt_extend":true}'),
    )


def test_the_documents_wan_picture_by_img_url(picture: Path) -> None:
    """Where the example has a link to a picture, we have the picture itself as a data: URI."""
    prompt = "让这张图片动起来,添加自然的运动效果"
    wanted = with_picture(
        "wan2.5-i2v-preview", Transport.DATA_URI, "img_url", prompt=prompt, size="1280P"
    )
    example = '{"img_url":"https://example.com/image.jpg"}'

    assert build(wanted, [picture]) == Body(
        (
            ("prompt", prompt),
            ("model", "wan2.5-i2v-preview"),
            ("seconds", "5"),
            ("size", "1280P"),
            ("metadata", example.replace("https://example.com/image.jpg", URI)),
        )
    )


def test_new_api_gets_every_spelling_that_some_version_of_it_reads(picture: Path) -> None:
    wanted = with_picture(
        "wan2.5-i2v-preview",
        Transport.DATA_URI,
        "img_url",
        size="720P",
        dialect="new-api",
        extras=(("watermark", False),),
    )

    body = build(wanted, [picture])

    assert body.files == ()
    assert body.fields[4] == ("input_reference", URI)
    assert [name for name, _ in body.fields[5:]] == ["metadata"]
    assert json.loads(body.fields[5][1]) == {
        "img_url": URI,
        "watermark": False,
        "input": {"img_url": URI},
        "parameters": {"watermark": False},
    }


def test_new_api_gets_an_upload_as_a_file_and_nothing_beside_it(picture: Path) -> None:
    wanted = with_picture("sora-2", Transport.UPLOAD, "input_reference", dialect="new-api")

    body = build(wanted, [picture])

    assert [name for name, _ in body.fields] == ["prompt", "model", "seconds", "size"]
    assert [part.name for part in body.files] == ["input_reference"]


def test_openai_gets_no_metadata() -> None:
    wanted = request(dialect="openai", extras=(("watermark", False),))

    assert [name for name, _ in build(wanted, []).fields] == ["prompt", "model", "seconds", "size"]


def test_openai_gets_a_picture_as_a_file_only(picture: Path) -> None:
    upload = with_picture("sora-2", Transport.UPLOAD, "input_reference", dialect="openai")
    uri = with_picture("sora-2", Transport.DATA_URI, "img_url", dialect="openai")

    assert build(upload, [picture]).files[0].name == "input_reference"
    with pytest.raises(Broken, match="dialect_lacks_transport"):
        build(uri, [picture])


@pytest.mark.parametrize("dialect", ["documented", "new-api"])
def test_a_second_picture_never_silently_takes_the_place_of_the_first(
    picture: Path, dialect: str
) -> None:
    wanted = with_picture("wan", Transport.DATA_URI, "img_url", dialect=dialect)

    with pytest.raises(Broken, match="one_place_for_many"):
        build(wanted, [picture, picture])


def test_several_uploads_are_several_parts(picture: Path) -> None:
    wanted = with_picture("jimeng", Transport.UPLOAD, "input_reference")

    assert [part.name for part in build(wanted, [picture, picture]).files] == [
        "input_reference",
        "input_reference",
    ]


@pytest.mark.parametrize(("name", "media_type"), [("a.png", "image/png"), ("a.jpg", "image/jpeg")])
def test_a_picture_says_what_it_is(tmp_path: Path, name: str, media_type: str) -> None:
    (tmp_path / name).write_bytes(JPEG)
    upload = with_picture("sora-2", Transport.UPLOAD, "input_reference")
    uri = with_picture("wan", Transport.DATA_URI, "img_url")

    assert build(upload, [tmp_path / name]).files[0].media_type == media_type
    metadata = json.loads(dict(build(uri, [tmp_path / name]).fields)["metadata"])
    assert metadata["img_url"].startswith(f"data:{media_type};base64,")


def test_the_size_is_left_out_where_the_model_has_none() -> None:
    assert "size" not in dict(build(request(size=None), []).fields)


@pytest.mark.parametrize("transport", list(Transport))
def test_a_picture_without_a_place_is_our_own_mistake(picture: Path, transport: Transport) -> None:
    wanted = request(transport=transport)

    with pytest.raises(Broken, match="no_place"):
        build(wanted, [picture])


def test_an_unknown_dialect_is_our_own_mistake() -> None:
    with pytest.raises(Broken, match="dialect_unknown"):
        build(request(dialect="klingon"), [])
