"""SGLang's own router for `/v1/videos` with a stub engine, as a program of its own.

`python sglang_router.py FOLDER` takes the published package from the folder. It runs the modules in
`REAL` as they are. Every other module of SGLang is a stub, because those need a graphics card. The
first line of its output is its port.
"""

# mypy: ignore-errors

import asyncio
import importlib.abc
import importlib.machinery
import importlib.util
import socket
import sys
import types
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

OPENAI = "sglang.multimodal_gen.runtime.entrypoints.openai"
REAL = {
    "sglang.multimodal_gen.runtime.utils.image_io",
    *(f"{OPENAI}.{name}" for name in ("protocol", "storage", "stores", "utils", "video_api")),
}
PACKAGES = {OPENAI[:end] for end in range(len(OPENAI)) if OPENAI[end] == "."} | {
    OPENAI,
    "sglang.multimodal_gen.runtime.utils",
}
MODEL = "Wan-AI/Wan2.2-TI2V-5B-Diffusers"


class Stub(types.ModuleType):
    """A module that has every name; each is a class that takes anything."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {"__init__": lambda self, *_, **__: None})
        setattr(self, name, made)
        return made


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds real modules of SGLang in the folder, and makes stubs of all others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in ("sglang", "zmq"):
            return None
        file = self.folder.joinpath(*name.split("."))
        if name in REAL:
            return importlib.util.spec_from_file_location(name, file.with_suffix(".py"))
        spec = importlib.machinery.ModuleSpec(name, self, is_package=True)
        spec.submodule_search_locations = [str(file)]
        return spec

    def create_module(self, spec):
        return (types.ModuleType if spec.name in PACKAGES else Stub)(spec.name)

    def exec_module(self, module):
        pass


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


class Result(types.SimpleNamespace):
    """A result of the engine; what it does not have is None."""

    def __getattr__(self, _name):
        return None


def parse_size(text):
    across, _, down = text.lower().replace(" ", "").partition("x")
    whole = across.isdecimal() and down.isdecimal()
    return (int(across), int(down)) if whole else (None, None)


def router(folder: Path, outputs: str):
    """Return the real router, and the engine behind it."""
    sys.path.insert(0, str(folder))
    sys.meta_path.insert(0, Finder(folder))
    inner = "sglang.multimodal_gen.runtime"
    module = importlib.import_module
    config = types.SimpleNamespace(resolve_task_type=lambda task, **_: task)
    args = types.SimpleNamespace(
        model_path=MODEL, served_model_name=MODEL, backend="sglang", model_id=None,
        pipeline_class_name=None, input_save_path=outputs, output_path=outputs,
        pipeline_config=config, batching_max_size=1, enable_cache_report=False,
    )  # fmt: skip
    engine = Engine()
    numbers = iter(range(1000))
    samples = module("sglang.multimodal_gen.configs.sample.sampling_params")
    samples.SamplingParams = Sampling
    samples.generate_request_id = lambda: f"job-{next(numbers)}"
    samples.DataType = type("DataType", (), {"VIDEO": "video", "ACTION": "action"})
    module(f"{inner}.server_args").get_global_server_args = lambda: args
    module("sglang.multimodal_gen.registry").get_model_info = lambda *_, **__: None
    module(f"{inner}.utils.common").parse_size = parse_size
    module(f"{inner}.scheduler_client").async_scheduler_client = engine
    module(f"{inner}.entrypoints.utils").prepare_request = lambda **it: types.SimpleNamespace(
        sampling_params=it["sampling_params"], extra={}, prompt="", num_outputs_per_prompt=1,
        trace_ctx=None,
    )  # fmt: skip
    logs = module(f"{inner}.utils.logging_utils")
    logs.init_logger = __import__("logging").getLogger
    logs.log_generation_timer = lambda *_: nullcontext()
    module(f"{inner}.utils.trace_wrapper").trace_req = lambda *_: nullcontext()
    module("sglang.srt.observability.trace").extract_trace_headers = lambda *_: {}

    async def unchanged(_request, prompt, **_):
        return prompt

    module(f"{OPENAI}.prompt_enhancement").maybe_enhance_prompt = unchanged
    progress = module(f"{OPENAI}.video_progress")
    nothing = lambda *_, **__: None  # noqa: E731
    progress.VIDEO_PROGRESS = types.SimpleNamespace(register=nothing, unregister=nothing)
    return module(f"{OPENAI}.video_api").router, engine


async def main() -> None:
    """Serve until the program is ended. `POST /go` lets every video be made."""
    folder = Path(sys.argv[1])
    outputs = folder / "outputs"
    outputs.mkdir()
    routes, engine = router(folder, str(outputs))
    import fastapi
    import uvicorn

    app = fastapi.FastAPI()
    app.include_router(routes)

    @app.post("/go")
    async def go():
        engine.go.set()

    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)  # noqa: T201
    config = uvicorn.Config(app, log_level="error")
    await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    asyncio.run(main())
