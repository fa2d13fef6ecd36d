# The gateway as an image: readers need no network, the state folder is a volume.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python -m venv /opt/lurewall \
 && /opt/lurewall/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY milter milter
COPY nlp nlp
COPY config config
RUN /opt/lurewall/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN useradd --system --home-dir /var/lib/lurewall --create-home lurewall
COPY --from=build /opt/lurewall /opt/lurewall
COPY config/gateway.toml /etc/lurewall/gateway.toml
USER lurewall
VOLUME /var/lib/lurewall
EXPOSE 10025 9125
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/opt/lurewall/bin/python", "-c", \
  "import urllib.request as u; u.urlopen('http://127.0.0.1:9125/healthz', timeout=3)"]
ENTRYPOINT ["/opt/lurewall/bin/lurewall"]
CMD ["serve", "--config", "/etc/lurewall/gateway.toml"]
