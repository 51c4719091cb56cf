# syntax=docker/dockerfile:1

FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv /opt/build && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt \
 && python -m venv /opt/artifactstore \
 && /opt/artifactstore/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.txt
COPY . .
RUN /opt/build/bin/hatchling build -t wheel -d /wheels \
 && /opt/artifactstore/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl

FROM python:3.11-slim
RUN groupadd --system --gid 10001 artifactstore \
 && useradd --system --uid 10001 --gid artifactstore --no-create-home --shell /usr/sbin/nologin artifactstore \
 && install -d -o artifactstore -g artifactstore -m 0750 /data
COPY --from=build /opt/artifactstore /opt/artifactstore
ENV PATH=/opt/artifactstore/bin:$PATH PYTHONUNBUFFERED=1
USER artifactstore
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD \
  ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
# The server binds loopback only as long as no authentication is configured, so reach it
# with `docker run --network host`.
ENTRYPOINT ["artifactstore"]
CMD ["serve", "--host", "127.0.0.1", "--port", "8000", "--data", "/data"]
