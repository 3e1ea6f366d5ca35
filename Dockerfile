# Spyglass in one container: non-root, slim, no compiler and no Node at run time.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements.txt ./
RUN python -m venv /opt/spyglass && /opt/spyglass/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY ui ui
COPY src src
RUN /opt/spyglass/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin spyglass \
    && install -d -o spyglass -g spyglass /data /etc/spyglass
COPY --from=build /opt/spyglass /opt/spyglass
ENV PATH=/opt/spyglass/bin:$PATH PYTHONUNBUFFERED=1
USER spyglass
VOLUME /data
EXPOSE 9090 3100 9080 3005
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s CMD ["spyglass", "status", "--quiet"]
ENTRYPOINT ["spyglass"]
CMD ["up", "/etc/spyglass", "--data", "/data", "--listen", "0.0.0.0"]
