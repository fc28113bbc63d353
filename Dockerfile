# Two stages: the first builds wheels from the lock file with its hashes, the second only installs them.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock ./
RUN pip wheel --no-cache-dir --require-hashes --wheel-dir /wheels -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot ./bot
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim-bookworm
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --no-deps /wheels/*.whl \
    && useradd --system --uid 10001 --home-dir /data --no-create-home zoetrope \
    && install -d -o zoetrope -m 0700 /data
# The code belongs to root, and the service can't change it. The service can write only to /data.
USER zoetrope
WORKDIR /data
VOLUME /data
ENV ZOETROPE_DATA_DIR=/data ZOETROPE_WEB__HOST=0.0.0.0 PYTHONUNBUFFERED=1
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD \
    ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["zoetrope"]
CMD ["run"]
