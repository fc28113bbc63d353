#!/usr/bin/env bash
# SGLang 0.5.23: an order to POST /v1/videos that names no seed gets the seed 42, and so does the next one.
# The same prompt, ordered again for another try, is the same work with the same seed. Neither the answer
# nor the list of videos tells the seed.
#
# Guess before running: a new random seed for each order, as at hosted gateways of the same API.
# Seen (Wan2.1-T2V-1.3B): seeds 42 and 42 for two orders without a seed, 7 for an order with `seed=7`; no
# field of the job has the seed.
# Who is affected: everybody who presses "again" because a video was not good. The GPU's time is spent on
# the video that they have already.
#
# The router, its form and the model's configuration are the package's own. Packages that need a GPU are
# empty stand-ins, and the engine answers each order with the same bytes.
set -euo pipefail
place=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q fastapi==0.165.0 python-multipart==0.0.34 uvicorn==0.54.0 httpx==0.28.1 \
    numpy==2.4.6 pillow==13.0.0 pybase64==1.5.1 msgspec==0.23.0 packaging==26.4
"$place/venv/bin/pip" install -q --no-deps sglang==0.5.23
cd "$place"

cat > serve.py <<'PY'
import abc, importlib.abc, importlib.machinery, json, os, pathlib, sys, sysconfig, types

ROOT = sysconfig.get_paths()["purelib"]

class Empty(abc.ABCMeta):  # a class that has every attribute and is the result of its own call
    def __getattr__(cls, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return empty(name)
    def __call__(cls, *given, **named):
        if not vars(cls).get("empty"):
            return super().__call__(*given, **named)
        return given[0] if len(given) == 1 and callable(given[0]) else cls
    def same(cls, *_):
        return cls
    __getitem__ = __or__ = __ror__ = __enter__ = __add__ = __sub__ = __neg__ = same
    __mul__ = __rmul__ = __truediv__ = __rtruediv__ = same
    def __exit__(cls, *_): pass
    def __iter__(cls):
        return iter(())
    def __bool__(cls):
        return False

class Base(metaclass=Empty):
    def __init__(self, *given, **named): pass
    def __init_subclass__(cls, **named): pass

def empty(name):
    return Empty(name, (Base,), {"empty": True})

class Module(types.ModuleType):
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return empty(name)

RUNTIME = "sglang.multimodal_gen.runtime"
ABSENT = """torch torchvision torchaudio transformers diffusers safetensors einops huggingface_hub cache_dit
    addict cv2 imageio imageio_ffmpeg zmq IPython dateutil requests tqdm yaml psutil filelock sglang.srt
    sglang.kernels""".split()
ABSENT += [f"{RUNTIME}.{name}" for name in ("loader", "models", "layers", "distributed", "scheduler_client")]

class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, *_):
        if any(f"{name}.".startswith(f"{package}.") for package in ABSENT):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec):
        return Module(spec.name)
    def exec_module(self, module): pass

for name in ("sglang", f"{RUNTIME}.pipelines_core"):
    sys.modules[name] = module = types.ModuleType(name)  # without the package's own __init__
    module.__path__ = [os.path.join(ROOT, *name.split("."))]
sys.meta_path.insert(0, Finder())

import fastapi, uvicorn
from sglang.multimodal_gen.registry import get_model_info
from sglang.multimodal_gen.runtime import scheduler_client
from sglang.multimodal_gen.runtime.entrypoints.openai import video_api
from sglang.multimodal_gen.runtime.pipelines_core.schedule_batch import OutputBatch
from sglang.multimodal_gen.runtime.server_args import server_args

model = pathlib.Path("Wan2.1-T2V-1.3B-Diffusers")  # a checkpoint without weights
for part in ("transformer", "vae", "text_encoder", "tokenizer", "scheduler"):
    (model / part).mkdir(parents=True)
    (model / part / "config.json").write_text("{}")
(model / "model_index.json").write_text(
    json.dumps({"_class_name": "WanPipeline", "_diffusers_version": "0.40.0"}))
settings = object.__new__(server_args.ServerArgs)  # its constructor looks for a GPU; these are defaults
settings.model_path = settings.served_model_name = str(model)
info = get_model_info(str(model))
settings.pipeline_config = info.pipeline_config_cls()
server_args.set_global_server_args(settings)
handed = []

class Engine:
    async def forward(self, batches):
        asked = batches[0].sampling_params
        handed.append({"seed": asked.seed, "task": asked.task_type.name, "prompt": asked.prompt})
        path = pathlib.Path(asked.output_file_path())
        path.write_bytes(b"a video")
        return OutputBatch(output_file_paths=[str(path)])

scheduler_client.async_scheduler_client = Engine()
app = fastapi.FastAPI()
app.include_router(video_api.router)
app.add_api_route("/handed", lambda: handed)
print(info.pipeline_cls.__name__, info.sampling_param_cls.__name__, flush=True)
uvicorn.run(app, host="127.0.0.1", port=8884, loop="asyncio", log_level="warning")
PY
venv/bin/python serve.py >log 2>&1 &
server=http://127.0.0.1:8884
for _ in $(seq 120); do curl -sf -o answer $server/handed && break; sleep 1; done

order() {
    curl -s -o answer -w '%{http_code}' $server/v1/videos -F 'prompt=a cat' -F seconds=4 -F size=832x480 "$@"
}
first=$(order)
second=$(order)
third=$(order -F seed=7)
for _ in $(seq 30); do
    [ "$(curl -s $server/v1/videos | grep -o '"status":"completed"' | wc -l)" = 3 ] && break; sleep 1
done
seeds=$(curl -s $server/handed | grep -o '"seed":[0-9]*' | tr '\n' ' ')
told=$(curl -s $server/v1/videos | grep -c seed || true)
echo "answered $first $second $third; the engine was asked for $seeds; jobs that tell a seed: $told"
[ "$first $second $third $told" = "200 200 200 0" ]
[ "$seeds" = '"seed":42 "seed":42 "seed":7 ' ]
