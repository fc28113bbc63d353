"""SGLang's own router for `/v1/videos` with a stub engine, as a program of its own.

`python sglang_router.py FOLDER` takes the published package from the folder. It runs the modules in
`REAL` as they are. Every other module of SGLang is a stub, because those need a graphics card. The
first line of its output is its port.
"""

# mypy: ignore-errors

import asyncio
import logging
import sys
import types
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from published import MODEL, Result, serve, use

OPENAI = "sglang.multimodal_gen.runtime.entrypoints.openai"
REAL = {
    "sglang.multimodal_gen.runtime.utils.image_io",
    *(f"{OPENAI}.{name}" for name in ("protocol", "storage", "stores", "utils", "video_api")),
}


@dataclass
class Sampling:
    """The parameters of one video, as the router and its engine use them."""

    prompt: str = ""
    width: int = 832
    height: int = 480
    num_frames: int = 96
    fps: int = 24
    image_path: str | None = None
    data_type: str = "video"
    folder: str = ""
    name: str = ""

    prompt_optional = False

    @staticmethod
    def video_request_extra_fields():
        return frozenset()

    @staticmethod
    def lower_video_request_kwargs(_request, kwargs):
        return kwargs

    @classmethod
    def from_user_sampling_params_args(cls, **kwargs):
        known = {name: value for name, value in kwargs.items() if name in cls.__annotations__}
        return cls(**known, name=kwargs["output_file_name"], folder=kwargs["output_path"])

    def output_file_path(self):
        return str(Path(self.folder) / f"{self.name}.mp4")

    def prepare_video_request_for_queue(self, _batch):
        pass

    def expand_video_request_outputs_for_queue(self, _batch):
        return None

    def project_video_queued_job_fields(self, _batch):
        return {}

    def cleanup_video_request(self, _batch):
        pass

    def validate_video_final_outputs(self, _paths, _batch):
        return {}


class Engine:
    """An engine that writes a few bytes for each video when it is let go, or fails."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def forward(self, batches):
        await self.go.wait()
        sampling = batches[0].sampling_params
        failed = "[fail]" in sampling.prompt
        path = Path(sampling.output_file_path())
        path.write_bytes(b"a video")
        return Result(
            error="out of memory" if failed else None,
            output_file_paths=[str(path)],
            peak_memory_mb=1.0,
            metrics=types.SimpleNamespace(total_duration_s=1.0),
        )


def prepare_request(*, sampling_params, **_):
    return Result(sampling_params=sampling_params, extra={}, num_outputs_per_prompt=1)


def parse_size(text):
    across, _, down = text.lower().replace(" ", "").partition("x")
    whole = across.isdecimal() and down.isdecimal()
    return (int(across), int(down)) if whole else (None, None)


def router(folder: Path, outputs: str):
    """Return the real router, and the engine behind it."""
    use(folder, ("sglang", "zmq"), REAL)
    inner = "sglang.multimodal_gen.runtime"
    config = types.SimpleNamespace(resolve_task_type=lambda task, **_: task)
    args = types.SimpleNamespace(
        model_path=MODEL, served_model_name=MODEL, backend="sglang", model_id=None,
        pipeline_class_name=None, input_save_path=outputs, output_path=outputs,
        pipeline_config=config, batching_max_size=1, enable_cache_report=False,
    )  # fmt: skip
    engine = Engine()
    numbers = iter(range(1000))
    samples = import_module("sglang.multimodal_gen.configs.sample.sampling_params")
    samples.SamplingParams = Sampling
    samples.generate_request_id = lambda: f"job-{next(numbers)}"
    samples.DataType = type("DataType", (), {"VIDEO": "video", "ACTION": "action"})
    import_module(f"{inner}.server_args").get_global_server_args = lambda: args
    import_module("sglang.multimodal_gen.registry").get_model_info = lambda *_, **__: None
    import_module(f"{inner}.utils.common").parse_size = parse_size
    import_module(f"{inner}.scheduler_client").async_scheduler_client = engine
    import_module(f"{inner}.entrypoints.utils").prepare_request = prepare_request
    logs = import_module(f"{inner}.utils.logging_utils")
    logs.init_logger = logging.getLogger
    logs.log_generation_timer = lambda *_: nullcontext()
    import_module(f"{inner}.utils.trace_wrapper").trace_req = lambda *_: nullcontext()
    import_module("sglang.srt.observability.trace").extract_trace_headers = lambda *_: {}

    async def unchanged(_request, prompt, **_):
        return prompt

    import_module(f"{OPENAI}.prompt_enhancement").maybe_enhance_prompt = unchanged
    progress = import_module(f"{OPENAI}.video_progress")
    nothing = lambda *_, **__: None  # noqa: E731
    progress.VIDEO_PROGRESS = types.SimpleNamespace(register=nothing, unregister=nothing)
    return import_module(f"{OPENAI}.video_api").router, engine


async def main() -> None:
    """Serve until the program is ended."""
    folder = Path(sys.argv[1])
    outputs = folder / "outputs"
    outputs.mkdir()
    routes, engine = router(folder, str(outputs))
    import fastapi

    app = fastapi.FastAPI()
    app.include_router(routes)
    await serve(app, engine.go)


if __name__ == "__main__":
    asyncio.run(main())
