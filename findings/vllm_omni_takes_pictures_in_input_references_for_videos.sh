#!/usr/bin/env bash
# vLLM-Omni 0.30.0: POST /v1/videos has the file field `input_references`, for several reference files.
# At every model but MiniMax H3 the server stores each of these files as a video named .mp4, whatever its
# content type and name say, and hands the engine a list of videos. It refuses nothing. Two JPEG pictures
# are accepted with 200, and the engine gets no picture. At MiniMax H3 the same form gives two pictures.
#
# Guess before running: the content type image/jpeg decides, so the model gets pictures; or 400, because
# the model takes no references (a control file at such a model gets 400).
# Seen: WanPipeline 200, 0 pictures, 2 videos whose bytes are the JPEGs; MiniMaxH3Pipeline 200, 2 pictures.
# The Wan pipeline in the same package reads only "image" of what it is handed: the video is made from the
# words alone, and the job ends as completed.
# Who is affected: everybody who sends pictures of a character. The GPU's time is spent on another video.
#
# The API server, its form and the video handler are the package's own. Packages that need a GPU are empty
# stand-ins, and the engine answers each order with the same bytes.
set -euo pipefail
place=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q fastapi==0.165.0 python-multipart==0.0.34 uvicorn==0.54.0 httpx==0.28.1 \
    numpy==2.4.6 pillow==13.0.0 pybase64==1.5.1 msgspec==0.23.0 packaging==26.4 pydantic-settings==2.16.3
"$place/venv/bin/pip" install -q --no-deps vllm-omni==0.30.0
cd "$place"

cat > serve.py <<'PY'
import abc, importlib, importlib.abc, importlib.machinery, os, sys, sysconfig, types

PIPELINE, PORT = sys.argv[1], int(sys.argv[2])
ROOT = sysconfig.get_paths()["purelib"]
os.environ["VLLM_OMNI_SERVER_STORAGE__PATH"] = "videos"

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
    register = __getitem__ = __or__ = __ror__ = same
    def __gt__(cls, _):
        return False
    def __bool__(cls):
        return False

class Base(metaclass=Empty):
    def __init__(self, *given, **named): pass
    def __init_subclass__(cls, **named): pass
    @classmethod
    def __get_pydantic_core_schema__(cls, *_):
        from pydantic_core import core_schema
        return core_schema.any_schema()

def empty(name):
    return Empty(name, (Base,), {"empty": True})

class Module(types.ModuleType):
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return empty(name)

def within(name, packages):
    return any(f"{name}.".startswith(f"{package}.") for package in packages)

API = "vllm_omni.entrypoints.openai"
OWN = [f"{API}.{name}" for name in (
    "api_server app_state errors image_api_utils protocol serving_video stage_params storage stores utils "
    "video video_api_utils").split()]
OWN += ["vllm_omni." + name for name in (
    "errors inputs metrics model_extras config.server_settings outputs.output_metadata "
    "diffusion.model_metadata diffusion.models.interface").split()]
ABSENT = "vllm vllm_omni torch transformers uvloop regex omegaconf prometheus_client prettytable".split()

class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, *_):
        if within(name, ABSENT) and not within(name, OWN):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec):
        return Module(spec.name)
    def exec_module(self, module): pass

for name in ("vllm_omni", "vllm_omni.entrypoints", API, "vllm_omni.config", "vllm_omni.outputs",
             "vllm_omni.diffusion", "vllm_omni.diffusion.models"):
    sys.modules[name] = module = types.ModuleType(name)  # without the package's own __init__
    module.__path__ = [os.path.join(ROOT, *name.split("."))]
sys.meta_path.insert(0, Finder())

class Prompt(dict):
    def __init_subclass__(cls, **named): pass

importlib.import_module("vllm.inputs").TextPrompt = Prompt
for name in ("EngineDeadError", "EngineGenerateError"):
    setattr(importlib.import_module("vllm.v1.engine.exceptions"), name, type(name, (Exception,), {}))

import fastapi, uvicorn
api_server = importlib.import_module(f"{API}.api_server")
serving = importlib.import_module(f"{API}.serving_video")
handed = []

class Engine:
    od_config = types.SimpleNamespace(model_class_name=PIPELINE, model=None, revision=None)
    stage_configs = [{"stage_type": "diffusion", "final_output": True, "final_output_type": "video",
                      "model_arch": PIPELINE}]
    async def generate(self, prompt, request_id, sampling_params_list):
        files = prompt.get("multi_modal_data", {})
        pictures, videos = files.get("image", []), files.get("video", [])
        handed.append({"pictures": len(pictures), "names": sorted({path[-4:] for path in videos}),
                       "jpegs": sum(open(path, "rb").read(2) == b"\xff\xd8" for path in videos)})
        yield types.SimpleNamespace(multimodal_output={"video": [b"a video"]}, images=None)

app = fastapi.FastAPI()
app.include_router(api_server.router)
app.add_api_route("/handed", lambda: handed)
app.state.api_server_count = 1
app.state.openai_serving_video = serving.OmniOpenAIServingVideo(
    Engine(), model_name="served", stage_configs=Engine.stage_configs)
uvicorn.run(app, host="127.0.0.1", port=PORT, loop="asyncio", log_level="warning")
PY
venv/bin/python -c "
from PIL import Image
for name in 'one', 'two':
    Image.new('RGB', (832, 480), 'red').save(name + '.jpg')"

for served in WanPipeline:8881 MiniMaxH3Pipeline:8882; do
    venv/bin/python serve.py "${served%:*}" "${served#*:}" >"log.$served" 2>&1 &
done
order() {  # the port
    for _ in $(seq 120); do curl -sf -o answer "http://127.0.0.1:$1/handed" && break; sleep 1; done
    curl -s -o answer -w '%{http_code} ' "http://127.0.0.1:$1/v1/videos" -F 'prompt=keep these two' \
        -F seconds=4 -F size=832x480 -F input_references=@one.jpg -F input_references=@two.jpg
    for _ in $(seq 30); do
        curl -s "http://127.0.0.1:$1/v1/videos" | grep -q '"status":"completed"' && break; sleep 1
    done
    curl -s "http://127.0.0.1:$1/handed"
}
wan=$(order 8881)
h3=$(order 8882)
echo "Wan: $wan"
echo "MiniMax H3: $h3"
pipeline=venv/lib/python3*/site-packages/vllm_omni/diffusion/models/wan2_2/pipeline_wan2_2.py
reads=$(grep -ho 'multi_modal_data.get("[a-z]*"' $pipeline | sort -u | tr -d '\n')
echo "the Wan pipeline reads: $reads"
[ "$wan" = '200 [{"pictures":0,"names":[".mp4"],"jpegs":2}]' ]
[ "$h3" = '200 [{"pictures":2,"names":[],"jpegs":0}]' ]
[ "$reads" = 'multi_modal_data.get("image"' ]
