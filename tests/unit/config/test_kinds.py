"""The tables of models that take references and videos, and the mistakes in them."""

import pytest

from bot.config import Config
from bot.core.clips import VideoFit
from bot.core.models import Model, References
from bot.core.orders import Kind
from tests.unit.config.conftest import GATEWAY, Complaints, Read

HEAD = """
[models.aurora]
family = "Aurora"
seconds = [5]
sizes = { 720p = "720P" }
prompt_limit = 100
body = "json"
"""
REFERENCES = f"""{HEAD}
kinds = ["r2v"]
picture = {{ transport = "data-uri" }}
references = {{ least = 2, most = 4 }}
places = {{ r2v = [["refs[*].image_url.url"]], fixed = {{ r2v = {{ "refs[*].type" = "image" }} }} }}
"""
VIDEO = f"""{HEAD}
kinds = ["v2v", "extend"]
video = {{ transport = "data-uri", least_seconds = 2, most_seconds = 9.5, most_bytes = 5_000_000 }}
places = {{ v2v = [["video"]], extend = [["clip"]] }}
"""
PUBLIC = '[web]\npublic_url = "https://videos.example"\n'
NEWEST = f'{GATEWAY}generation = "C"\nplugins = {{ alibaba = "1.4.2" }}\n'


def model(config: Config, name: str = "aurora") -> Model:
    found = config.catalog.model(name)
    assert found is not None
    return found


def test_a_table_of_a_model_that_takes_references(read: Read) -> None:
    found = model(read(REFERENCES))
    assert (found.kinds, found.references) == ((Kind.REFERENCES,), References(least=2, most=4))
    assert found.places.of_files(Kind.REFERENCES, 2) == (
        ("refs[0].image_url.url",),
        ("refs[1].image_url.url",),
    )
    assert found.places.constants(Kind.REFERENCES, 2) == (
        ("refs[0].type", "image"),
        ("refs[1].type", "image"),
    )


def test_a_table_of_a_model_that_takes_videos_needs_no_pictures(read: Read) -> None:
    found = model(read(VIDEO))
    assert (found.kinds, found.picture) == ((Kind.VIDEO, Kind.EXTEND), None)
    assert found.video is not None
    assert found.video.fit == VideoFit(least_seconds=2, most_seconds=9.5, most_bytes=5_000_000)
    assert (found.video.priced, found.video.included) == (False, False)


def test_a_model_that_goes_on_from_an_id_needs_no_table_for_videos(read: Read) -> None:
    by_id = f'{HEAD}kinds = ["t2v", "extend"]\nplaces = {{ extend_id = ["previous_job_id"] }}\n'
    found = model(read(by_id))
    assert (found.kinds, found.video) == ((Kind.TEXT, Kind.EXTEND), None)
    assert found.places.extend_id == ("previous_job_id",)


@pytest.mark.parametrize(
    ("table", "wrong", "right", "sentence"),
    [
        (
            REFERENCES,
            "refs[*].image_url.url",
            "refs[0].image_url.url",
            (
                "models.aurora.places.r2v has refs[0].image_url.url, which is one field for all"
                " pictures of r2v. Write [*] where the number of each picture belongs, as in"
                " images[*]."
            ),
        ),
        (
            VIDEO,
            'v2v = [["video"]]',
            'v2v = [["video[*]"]]',
            (
                "models.aurora.places.v2v has video[*]. [*] is the number of a picture of r2v, and"
                " means nothing for other kinds. Write the field's own name or number."
            ),
        ),
        (
            VIDEO,
            'extend = [["clip"]]',
            'extend = [["clip"]], fixed = { extend = { "clips[*].type" = "clip" } }',
            (
                "models.aurora.places.fixed.extend has clips[*].type. [*] is the number of a"
                " picture of r2v, and means nothing for other kinds. Write the field's own name or"
                " number."
            ),
        ),
        (
            REFERENCES,
            '[["refs[*].image_url.url"]]',
            '[["refs[*].url"], ["more[*].url"]]',
            (
                "models.aurora.places.r2v names fields for 2 files, and this kind has 1. Name a"
                " list of fields for each file."
            ),
        ),
        (
            VIDEO,
            'v2v = [["video"]], ',
            "",
            (
                "models.aurora.places.v2v names fields for 0 files, and this kind has 1. Name a"
                " list of fields for each file."
            ),
        ),
        (
            REFERENCES,
            "least = 2, most = 4",
            "least = 5, most = 4",
            "models.aurora.references.least is 5; it has to be 4 or less.",
        ),
        (
            REFERENCES,
            "most = 4",
            "most = 11",
            "models.aurora.references.most is 11; it has to be 10 or less.",
        ),
        (
            VIDEO,
            "least_seconds = 2",
            "least_seconds = 10",
            "models.aurora.video.least_seconds is 10.0; it has to be 9.5 or less.",
        ),
        (
            VIDEO,
            "most_bytes = 5_000_000",
            "most_bytes = 500_000_000",
            "models.aurora.video.most_bytes is 500000000; it has to be 100000000 or less.",
        ),
        (
            VIDEO,
            'transport = "data-uri"',
            'transport = "upload"',
            (
                "models.aurora.places.v2v puts a file into JSON, which can only hold text. Set body"
                " to form, or set picture.transport to data-uri."
            ),
        ),
        (
            VIDEO,
            (
                'video = { transport = "data-uri", least_seconds = 2, most_seconds = 9.5,'
                " most_bytes = 5_000_000 }\n"
            ),
            "",
            "models.aurora.video is missing. Add it to the configuration file.",
        ),
        (
            REFERENCES,
            'picture = { transport = "data-uri" }\n',
            "",
            "models.aurora.picture is missing. Add it to the configuration file.",
        ),
        (
            VIDEO,
            'transport = "data-uri"',
            'transport = "url"',
            (
                "models.aurora.video.transport is url: such a model downloads files from this"
                " service, but web.public_url is not set. Set it, or set"
                " models.aurora.video.transport to data-uri."
            ),
        ),
    ],
)
def test_a_mistake_in_such_a_table_is_told_with_its_remedy(
    told: Complaints, table: str, wrong: str, right: str, sentence: str
) -> None:
    assert wrong in table
    assert told(table.replace(wrong, right)) == [sentence]


def test_a_packaged_model_offers_videos_only_if_they_can_be_linked(read: Read) -> None:
    wan = 'models = ["wan3.0-video", "wan2.7-i2v"]'
    without, linked = read(gateway=NEWEST + wan), read(PUBLIC, gateway=NEWEST + wan)
    assert Kind.VIDEO not in model(without, "wan3.0-video").kinds
    assert Kind.REFERENCES in model(without, "wan3.0-video").kinds
    assert Kind.VIDEO in model(linked, "wan3.0-video").kinds
    assert Kind.EXTEND in model(linked, "wan2.7-i2v").kinds


def test_a_dialect_that_takes_files_alone_lacks_kinds_whose_files_are_text(read: Read) -> None:
    both = f"{VIDEO}dialects = {{ openai = {{ kinds = ['t2v', 'v2v'], body = 'form' }} }}\n"
    assert model(read(both, gateway=f'{GATEWAY}dialect = "openai"')).kinds == (Kind.TEXT,)
