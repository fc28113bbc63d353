"""vLLM-Omni's own routes for `/v1/videos` with a stub engine, as a program of its own.

`python vllm_omni_routes.py FOLDER` takes the published package from the folder. It runs the modules
in `REAL` as they are, and the functions in `ROUTES` of the module of all routes. Every other module
is a stub, because those need a graphics card. The first line of its output is its port.
"""

# mypy: ignore-errors

import ast
import asyncio
import logging
import sys
import types
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from published import MODEL, Result, serve, use

OPENAI = "vllm_omni.entrypoints.openai"
MODULES = ("errors", "image_api_utils", "protocol.videos", "storage", "stores", "video_api_utils")
HELPERS = f"{OPENAI}.video.generation.helpers"
REAL = {"vllm_omni.errors", HELPERS, *(f"{OPENAI}.{name}" for name in MODULES)}
ROUTES = ("create_video", "list_videos", "retrieve_video", "delete_video", "download_video")
PACKAGES = ("vllm", "vllm_omni", "torch", "numpy")


class Handler:
    """An engine that returns a few bytes for each video when it is let go, or fails."""

    model_name = MODEL
    stage_configs = ()
    supports_mixed_reference_inputs = False
    supports_latent_mask_editing = False

    def __init__(self) -> None:
        self.go = asyncio.Event()

    def set_stage_configs_if_missing(self, _configs):
        pass

    async def generate_video_bytes(self, request, _name, *, on_started, **_):
        await self.go.wait()
        await on_started()
        if "[fail]" in request.prompt:
            raise RuntimeError("out of memory")
        return b"a video", {}, 1.0, None, {}

    async def abort_request(self, _name):
        pass


def prepared(folder: Path) -> None:
    """Give the stubs what the real modules need of them."""
    use(folder, PACKAGES, REAL)
    import_module("vllm.logger").init_logger = logging.getLogger
    import_module("vllm_omni.inputs.data").DIFFUSION_QUALITY_LEVELS = ("lossless", "high")
    broken = import_module("vllm.v1.engine.exceptions")
    broken.EngineDeadError = type("EngineDeadError", (Exception,), {})
    broken.EngineGenerateError = type("EngineGenerateError", (Exception,), {})
    settings = import_module("vllm_omni.config.server_settings")
    settings.FileBackend = Result
    path = str(folder / "outputs")
    settings.SERVER_SETTINGS_CONFIG = Result(storage=Result(path=path, file_concurrency=2))
    import_module("vllm").envs = Result(VLLM_MAX_IMAGE_PIXELS=1 << 30)
    loaders = import_module("vllm.multimodal.video")
    loaders.VIDEO_LOADER_REGISTRY = Result(register=lambda _name: lambda loader: loader)
    state = import_module(f"{OPENAI}.app_state")
    state.Omnivideo = lambda request: request.app.state.openai_serving_video
    models = import_module("vllm_omni.diffusion.models.interface")
    models.ReferenceVideoDecodeSpec = lambda max_frames=None, keep="first": Result(
        max_frames=max_frames, keep=keep
    )


def routes(folder: Path):
    """Return a router with the published functions, run in the names that they use."""
    import fastapi
    from fastapi.responses import FileResponse, JSONResponse, Response

    names = {
        **vars(import_module(f"{OPENAI}.protocol.videos")),
        **vars(import_module(HELPERS)),
        **vars(import_module(f"{OPENAI}.storage")),
        **vars(import_module(f"{OPENAI}.stores")),
        **{name: getattr(fastapi, name) for name in ("Depends", "HTTPException", "Query")},
        "Request": fastapi.Request,
        "JSONResponse": JSONResponse,
        "FileResponse": FileResponse,
        "Response": Response,
        "VIDEO_ABORT_TIMEOUT_S": 1.0,
        "router": fastapi.APIRouter(),
        "_require_single_api_video_store": lambda: None,
        # The answers of errors are only described with this type.
        "ErrorResponse": dict,
    }
    file = folder / "vllm_omni" / "entrypoints" / "openai" / "api_server.py"
    tree = ast.parse(file.read_text("utf-8"))
    tree.body = [node for node in tree.body if getattr(node, "name", "") in ROUTES]
    assert len(tree.body) == len(ROUTES)
    exec(compile(tree, str(file), "exec"), names)
    return names["router"]


async def main() -> None:
    """Serve until the program is ended."""
    folder = Path(sys.argv[1])
    prepared(folder)
    import fastapi

    app = fastapi.FastAPI()
    app.include_router(routes(folder))
    app.state.openai_serving_video = handler = Handler()
    app.state.openai_serving_models = types.SimpleNamespace(base_model_paths=[])
    await serve(app, handler.go)


if __name__ == "__main__":
    asyncio.run(main())
