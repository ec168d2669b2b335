# The service as an image, without torch. How to build and run it: docs/operations.md, compose.yaml.

# Any Debian or Ubuntu with Python 3.11 to 3.13 and its `venv` will do. Add its digest where the same image has to come out again.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS install
# Extras of pyproject.toml, as in "oidc,telemetry".
ARG EXTRAS=""
WORKDIR /source
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY ingest ingest
COPY index index
COPY service service
COPY eval eval
RUN python3 -m venv /opt/pes \
    && /opt/pes/bin/python -m pip install --no-cache-dir --quiet --upgrade 'pip>=25,<27' \
    && /opt/pes/bin/python -m pip install --no-cache-dir -c requirements.lock ".${EXTRAS:+[${EXTRAS}]}" \
    && /opt/pes/bin/python -m pip check \
    && /opt/pes/bin/python -m pip uninstall --quiet --yes pip setuptools

FROM ${BASE}
# Debian packages for more formats, as in "tesseract-ocr tesseract-ocr-deu libreoffice-writer-nogui": docs/reading.md.
ARG PACKAGES=""
# A fixed number, so that folders of the host can be given to it.
ARG UID=10001
RUN if [ -n "${PACKAGES}" ]; then apt-get update && apt-get install -y --no-install-recommends ${PACKAGES} && rm -rf /var/lib/apt/lists/*; fi \
    && groupadd --system --gid ${UID} pes \
    && useradd --system --uid ${UID} --gid ${UID} --home-dir /srv/pes --no-create-home --shell /usr/sbin/nologin pes \
    && install --directory --owner=pes --group=pes --mode=0750 /srv/pes/var /srv/pes/cache
COPY --from=install /opt/pes /opt/pes
COPY docs/licences.md LICENSE /usr/share/doc/pes-search/
COPY corpus /srv/pes/corpus

# HOME: programs that read other formats write to theirs; the root file system may be read-only.
ENV PATH=/opt/pes/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PES_CACHE_DIR=/srv/pes/cache \
    PES_SERVE__HOST=0.0.0.0
WORKDIR /srv/pes
# What lasts (index, keys, what people left, uploads), and what can be made again (the converted model, vectors).
VOLUME ["/srv/pes/var", "/srv/pes/cache"]
USER ${UID}:${UID}
EXPOSE 8000
STOPSIGNAL SIGTERM
# Without curl, which the image has not. A build takes its time before the first start: it counts as starting.
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 CMD ["python3", "-c", \
    "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["pes"]
CMD ["serve"]

ARG VERSION=0.1.0
ARG REVISION=""
LABEL org.opencontainers.image.title="pes-search" \
      org.opencontainers.image.description="Search in any EU language over the good-practice documents of Europe's public employment services" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
