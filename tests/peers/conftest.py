"""Servers of others, installed once per run of the tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.peers.processes import Peer, install, running
from tests.unit.gateways import dialects

SERVED = "Wan2.2-TI2V-5B-Diffusers"


@pytest.fixture(scope="session")
def sglang_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the published SGLang."""
    return install("sglang==0.5.23", tmp_path_factory.mktemp("sglang"))


@pytest.fixture(scope="module")
def sglang(sglang_packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """Yield a running SGLang server of a model that takes a prompt, with or without a picture."""
    folder = tmp_path_factory.mktemp("served")
    given = (SERVED, "WanPipeline", str(folder))
    with running("tests.peers.sglang_server", sglang_packages, given, folder) as peer:
        assert peer.noted() == []
        yield peer


@pytest.fixture(scope="session")
def vllm_omni_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the published vLLM-Omni."""
    return install("vllm-omni==0.30.0", tmp_path_factory.mktemp("vllm-omni"))


@contextmanager
def _omni(packages: Path, folder: Path, pipeline: str) -> Iterator[Peer]:
    given = (dialects.NAME, pipeline)
    with running("tests.peers.vllm_omni_server", packages, given, folder) as peer:
        assert peer.noted() == []
        yield peer


@pytest.fixture(scope="module")
def vllm_omni(vllm_omni_packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """Yield a running vLLM-Omni server of a model that takes pictures in each role."""
    with _omni(vllm_omni_packages, tmp_path_factory.mktemp("h3"), "MiniMaxH3Pipeline") as peer:
        yield peer


@pytest.fixture(scope="module")
def wan_at_vllm_omni(
    vllm_omni_packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    """Yield a running vLLM-Omni server of a model that takes a prompt and one picture."""
    with _omni(vllm_omni_packages, tmp_path_factory.mktemp("wan"), "WanPipeline") as peer:
        yield peer
