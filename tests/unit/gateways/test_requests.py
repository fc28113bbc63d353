"""Building the body of a request: values in their fields, files by their transport."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.errors import Broken
from bot.core.orders import Transport
from bot.gateways.requests import build
from bot.net.sending import Body, FilePart

from .samples import JPEG, request, with_files

BARE = base64.b64encode(JPEG).decode()
URI = f"data:image/jpeg;base64,{BARE}"
LINK = "https://videos.example/i/abc"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "kept.jpg"
    path.write_bytes(JPEG)
    return path


def test_a_request_without_parameters_has_three_fields() -> None:
    assert build(request(), []) == Body(
        (("prompt", "a cat"), ("model", "sora-2"), ("seconds", "5"))
    )


def test_a_parameter_becomes_a_field_or_a_metadata_entry_at_any_depth() -> None:
    parameters = (
        ("size", "1280*720"),
        ("metadata.watermark", False),
        ("metadata.parameters.watermark", False),
        ("metadata.parameters.seed", 7),
        ("metadata.input.negative_prompt", "雨"),
    )

    fields = build(request(parameters=parameters), []).fields

    assert fields[3:] == (
        ("size", "1280*720"),
        (
            "metadata",
            (
                '{"watermark":false,"parameters":{"watermark":false,"seed":7}'
                ',"input":{"negative_prompt":"雨"}}'
            ),
        ),
    )


def test_every_form_field_is_text_whatever_its_value() -> None:
    """A form contains text only; inside the metadata a number stays a number."""
    parameters = (("seed", 7), ("watermark", False), ("mode", "pro"))
    assert build(request(parameters=parameters), []).fields[3:] == (
        ("seed", "7"),
        ("watermark", "false"),
        ("mode", "pro"),
    )


def test_an_upload_is_sent_as_a_file_and_adds_no_field(picture: Path) -> None:
    body = build(with_files(Transport.UPLOAD, ("input_reference",)), [picture])

    assert len(body.fields) == 3
    assert body.files == (FilePart("input_reference", "picture.jpg", "image/jpeg", picture),)


@pytest.mark.parametrize(
    ("transport", "text"), [(Transport.DATA_URI, URI), (Transport.BASE64, BARE)]
)
def test_a_picture_sent_as_text_goes_into_each_of_its_fields(
    picture: Path, transport: Transport, text: str
) -> None:
    places = ("input_reference", "metadata.img_url", "metadata.input.img_url")

    body = build(with_files(transport, places), [picture])

    assert (body.files, body.fields[3]) == ((), ("input_reference", text))
    metadata = {"img_url": text, "input": {"img_url": text}}
    assert [name for name, _ in body.fields[4:]] == ["metadata"]
    assert json.loads(body.fields[4][1]) == metadata


def test_each_file_goes_into_its_own_field(tmp_path: Path) -> None:
    first, last, speech = (tmp_path / name for name in ("a.jpg", "b.png", "c.mp3"))
    for number, file in enumerate((first, last, speech)):
        file.write_bytes(bytes([number]))
    places = (("metadata.first",), ("metadata.last",), ("metadata.audio_url",))

    text = dict(build(with_files(Transport.DATA_URI, *places), [first, last, speech]).fields)

    assert json.loads(text["metadata"]) == {
        "first": "data:image/jpeg;base64,AA==",
        "last": "data:image/png;base64,AQ==",
        "audio_url": "data:audio/mpeg;base64,Ag==",
    }


def test_several_files_of_one_field_become_several_fields_of_that_name(picture: Path) -> None:
    as_text = build(with_files(Transport.DATA_URI, ("images",), ("images",)), [picture] * 2)
    as_files = build(with_files(Transport.UPLOAD, ("images",), ("images",)), [picture] * 2)

    assert as_text.fields[3:] == (("images", URI), ("images", URI))
    assert [part.name for part in as_files.files] == ["images", "images"]


@pytest.mark.parametrize("files", [0, 2])
@pytest.mark.parametrize("transport", list(Transport))
def test_a_different_number_of_files_and_fields_raises(
    picture: Path, transport: Transport, files: int
) -> None:
    with pytest.raises(Broken, match="files_misplaced"):
        build(with_files(transport, ("image",)), [picture] * files)


def test_a_value_in_a_field_that_must_hold_an_object_raises() -> None:
    parameters = (("metadata.input", "a"), ("metadata.input.seed", 1))
    with pytest.raises(Broken, match="place_taken"):
        build(request(parameters=parameters), [])


# ------------------------------------------------------------------------------------- links


def test_a_file_sent_by_link_is_represented_by_its_link(picture: Path) -> None:
    wanted = with_files(Transport.URL, ("metadata.img_url",))
    assert build(wanted, [picture], [LINK]).fields[3:] == (("metadata", f'{{"img_url":"{LINK}"}}'),)


def test_a_file_to_be_sent_by_link_without_a_link_raises(picture: Path) -> None:
    with pytest.raises(Broken, match="no_way_there"):
        build(with_files(Transport.URL, ("image",)), [picture])


@pytest.mark.parametrize(("above", "text"), [(len(JPEG) - 1, LINK), (len(JPEG), URI)])
def test_only_a_file_too_large_for_the_body_is_sent_by_link(
    picture: Path, above: int, text: str
) -> None:
    wanted = with_files(Transport.DATA_URI, ("image",), url_above=above)
    assert build(wanted, [picture], [LINK]).fields[3:] == (("image", text),)


def test_a_file_too_large_for_the_body_is_sent_in_it_if_there_is_no_link(picture: Path) -> None:
    wanted = with_files(Transport.DATA_URI, ("image",), url_above=1)
    assert build(wanted, [picture]).fields[3:] == (("image", URI),)


def test_a_sound_is_sent_after_the_picture_with_its_own_type(picture: Path) -> None:
    sound = picture.with_name("kept.mp3")
    sound.write_bytes(b"la")
    singing = replace(
        request(transport=Transport.DATA_URI),
        places=(("metadata.image_url",), ("metadata.audio_url",)),
    )
    said = dict(build(singing, [picture, sound]).fields)["metadata"]
    assert json.loads(said) == {"image_url": URI, "audio_url": "data:audio/mpeg;base64,bGE="}


# ------------------------------------------------------------------------------------- JSON


def test_a_json_body_keeps_numbers_and_objects_and_sends_the_length_twice(picture: Path) -> None:
    parameters = (("size", "720P"), ("metadata.parameters.seed", 7), ("watermark", False))
    wanted = replace(
        with_files(Transport.BASE64, ("image",), parameters=parameters),
        is_json=True,
        lengths=("seconds", "duration"),
    )

    body = build(wanted, [picture])

    assert (body.fields, body.files) == ((), ())
    assert json.loads(body.json or b"") == {
        "prompt": "a cat",
        "model": "sora-2",
        "seconds": "5",
        "duration": 5,
        "size": "720P",
        "metadata": {"parameters": {"seed": 7}},
        "watermark": False,
        "image": BARE,
    }


def test_numbered_fields_become_a_list_of_objects_in_json(picture: Path) -> None:
    """Seedance wants it so: each picture says which one it is."""
    fixed = (
        ("metadata.content[1].role", "last_frame"),
        ("metadata.content[0].role", "first_frame"),
    )
    places = (("metadata.content[0].image_url.url",), ("metadata.content[1].image_url.url",))
    wanted = replace(with_files(Transport.DATA_URI, *places, parameters=fixed), is_json=True)

    assert json.loads(build(wanted, [picture] * 2).json or b"")["metadata"]["content"] == [
        {"role": "first_frame", "image_url": {"url": URI}},
        {"role": "last_frame", "image_url": {"url": URI}},
    ]


def test_an_auto_length_is_sent_as_minus_one() -> None:
    wanted = replace(request(), is_json=True, auto=True, lengths=("seconds", "duration"))
    said = json.loads(build(wanted, []).json or b"")
    assert (said["seconds"], said["duration"]) == ("-1", -1)


def test_a_list_in_a_form_becomes_one_field_several_times(picture: Path) -> None:
    body = build(with_files(Transport.DATA_URI, ("images[0]",), ("images[1]",)), [picture] * 2)
    assert body.fields[3:] == (("images", URI), ("images", URI))
