# The server in a slim image: built in one stage, run in another, never as root.
# Mount a directory at /var/lib/assay for data and one at /etc/assay for config.toml and certificates.

FROM python:3.11-slim-bookworm AS build
ARG PREFIX=/opt/assay
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY requirements/ requirements/
COPY clients/python/ clients/python/
COPY src/ src/
RUN python3 -m venv "$PREFIX" && \
    "$PREFIX/bin/pip" install --no-cache-dir --quiet --disable-pip-version-check \
        --constraint requirements/constraints.txt ./clients/python '.[gcs,otlp]' && \
    "$PREFIX/bin/pip" uninstall --quiet --yes pip

FROM python:3.11-slim-bookworm
ARG STATE=/var/lib/assay
COPY --from=build /opt/assay /opt/assay
RUN install -d -o 65532 -g 65532 -m 0750 "$STATE"
ENV PATH=/opt/assay/bin:$PATH \
    PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /var/lib/assay
VOLUME /var/lib/assay
EXPOSE 8443 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
    CMD ["assay-server", "health", "--config", "/etc/assay/config.toml"]
ENTRYPOINT ["assay-server"]
CMD ["serve", "--config", "/etc/assay/config.toml"]
